"""How versions of one piece of work compare, timed interleaved; see ``benchmarks.interleave``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from rich.table import Table

from benchmarks.command import new_table
from benchmarks.interleave import Version, interleave


@dataclass(frozen=True)
class TimedVersions:
    """One value per round for each version, in ``unit``; less is better, the first is the base."""

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

    def table(self) -> Table:
        """Return a table of all versions."""
        table = new_table("version", self.unit, "beside the first", words=1)
        table.title = self.title
        for name, ratio in self.ratios().items():
            table.add_row(name, spread(self.samples[name]), in_words(ratio))
        return table


def spread(values: Sequence[float]) -> str:
    """Return median and range, with as many digits as are of interest."""
    digits = 0 if median(values) >= 100 else 1 if median(values) >= 10 else 2
    middle, low, high = (f"{v:,.{digits}f}" for v in (median(values), min(values), max(values)))
    return f"{middle} ({low}–{high})"


def in_words(ratio: float) -> str:
    """Say how much longer or shorter something took."""
    if ratio < 1:
        return f"{1 / ratio:.{1 if ratio < 0.1 else 2}f} times faster"
    return f"{ratio:.2f} times slower" if ratio > 1 else ""


def compare(
    title: str, versions: Mapping[str, Version], rounds: int, images: int = 128
) -> TimedVersions:
    """Time versions, interleaved; a call of each handles so many ``images``."""
    seconds = interleave(versions, rounds)
    each = {name: [1e6 * s / images for s in values] for name, values in seconds.items()}
    return TimedVersions(title, "µs per image" if images > 1 else "µs", each)
