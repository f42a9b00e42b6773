"""How fast it is: milliseconds to read, and frames a second while somebody draws."""

from collections import deque
from collections.abc import Callable

import numpy as np

KEPT = 240  # frames
PAUSE = 0.25  # seconds: a longer gap between frames is rest, not slowness


class Meter:
    """Collects the times of frames; ``clock`` is in seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.gaps: deque[float] = deque(maxlen=KEPT)
        """Seconds between frames."""
        self._last: float | None = None
        self._shown = 0.0
        self.line = ""
        """Frames a second, median and the slowest in a hundred, as the status line says it."""

    def frame(self) -> None:
        """A frame has been shown while the pen was down."""
        now = self._clock()
        if self._last is not None and now - self._last < PAUSE:
            self.gaps.append(now - self._last)
        self._last = now
        if len(self.gaps) > 10 and now - self._shown > 1:
            self._shown = now
            median, slow = np.percentile(self.gaps, (50, 99))
            self.line = f"{1 / median:.0f} fps, slowest 1 %: {1 / slow:.0f} fps"
