"""Before and after: what changed, and whether it is more than chance."""

from tinycnn.metrics import PairedComparison

FEW = 20
"""With fewer answers there is no verdict."""

CHANCE = 0.05
"""A change that is more likely than this by chance alone does not count."""


class Change(PairedComparison):
    """The same images, read before (first) and after (second) learning."""

    @property
    def right_before(self) -> int:
        return self.n - self.neither - self.only_second

    @property
    def right_after(self) -> int:
        return self.n - self.neither - self.only_first

    @property
    def mended(self) -> int:
        """Wrong before, right after."""
        return self.only_second

    @property
    def spoiled(self) -> int:
        """Right before, wrong after."""
        return self.only_first

    @property
    def verdict(self) -> str:
        """One of "too few to tell", "no clear change", "better" and "worse"."""
        if self.n < FEW:
            return "too few to tell"
        if self.p_value > CHANCE:
            return "no clear change"
        return "better" if self.mended > self.spoiled else "worse"

    def __str__(self) -> str:
        return (
            f"{self.right_before:,} -> {self.right_after:,} right of {self.n:,} "
            f"({self.mended} mended, {self.spoiled} spoiled): {self.verdict}"
        )
