"""How versions of one piece of work compare, when they have taken turns; see ``tinycnn.timing``."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median

from tinycnn.timing import Version, interleave


@dataclass(frozen=True)
class Comparison:
    """One value a round for each version, in ``unit``; less is better, the first is the base."""

    title: str
    unit: str
    samples: dict[str, list[float]]

    def medians(self) -> dict[str, float]:
        """Return the median of each version."""
        return {name: median(values) for name, values in self.samples.items()}

    def ratios(self) -> dict[str, float]:
        """Return by how much each version takes longer than the first: medians over rounds."""
        base, *_ = self.samples.values()
        return {
            name: median(value / b for value, b in zip(values, base, strict=True))
            for name, values in self.samples.items()
        }


def compare(
    title: str, versions: Mapping[str, Version], rounds: int, images: int = 128
) -> Comparison:
    """Let versions take turns; a call of each handles so many ``images``."""
    seconds = interleave(versions, rounds)
    each = {name: [1e6 * s / images for s in values] for name, values in seconds.items()}
    return Comparison(title, "µs an image" if images > 1 else "µs", each)
