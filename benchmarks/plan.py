"""What is run, and how long a turn is."""

from dataclasses import dataclass

Variant = tuple[str, str]
"""The name of a contender and that of one of its variants."""


@dataclass(frozen=True)
class Plan:
    """One setting: ``images`` are trained on in a turn, ``latency_calls`` predicted one by one.

    ``only_usual_best`` leaves out all but the first variant of each contender.
    """

    network: str = "lenet"
    batch: int = 128
    threads: int = 1
    rounds: int = 7
    images: int = 4096
    latency_calls: int = 500
    only_usual_best: bool = False

    def __str__(self) -> str:
        threads = f"{self.threads} thread{'s' * (self.threads > 1)}"
        return f"{self.network}, batch {self.batch}, {threads}"

    @property
    def steps(self) -> int:
        """Training steps a turn."""
        return max(4, min(1000, self.images // self.batch))

    @property
    def calls(self) -> int:
        """Predicted batches a turn."""
        return max(8, min(2000, 2 * self.images // self.batch))

    def variants(self, offered: list[str]) -> list[str]:
        """Return those of a contender's variants that take part."""
        return offered[:1] if self.only_usual_best else offered
