"""A run is a trainer in its folder: it saves itself, can be stopped at any moment, and finishes.

``launch.start`` and ``launch.resume`` make one. Then:

    with start(...) as run:
        if run.train() is None:  # else it was stopped, by the signal it returns
            print(run.finish())

What people read (metrics, weights) is always made from what the checkpoint holds.
"""

import functools
import json
import math
import os
import resource
import sys
import time
from dataclasses import asdict, dataclass
from typing import Any

from tinycnn import __version__
from tinycnn.data.provenance import sample_of
from tinycnn.errors import EnvironmentFault
from tinycnn.files import grow
from tinycnn.metrics import Score, measure
from tinycnn.nn import get_threads
from tinycnn.plots import optional_chart
from tinycnn.signals import StopSignals
from tinycnn.train.calibration import calibrate
from tinycnn.train.checkpoint import Checkpoint, encode
from tinycnn.train.curves import can_draw, draw_curves
from tinycnn.train.folder import RunFolder
from tinycnn.train.progress import Watch
from tinycnn.train.trainer import Trainer

SAVE_SECONDS = 10.0
"""How much work a crash may cost, unless a number of batches is asked for."""

NEVER = -math.inf
"""When a run was last saved that has not been saved yet."""


@dataclass(frozen=True)
class Result:
    """What a finished run reports; ``seconds`` is all it took, before and after interruptions."""

    test_accuracy: float
    errors: int
    n: int
    seconds: float
    images_per_second: float
    peak_memory_mb: float
    run_dir: str
    weights: str

    def sentence(self) -> str:
        """The test accuracy as a person would want to read it."""
        return Score(self.n, self.errors).sentence()


class Run:
    """A trainer in a locked folder.

    ``origin`` (JSON: recipe, data, versions) is what a later process needs to make the trainer
    anew. ``save_every`` counts batches between checkpoints; None goes by the clock. There is one
    more at the end of every epoch.
    """

    def __init__(
        self,
        folder: RunFolder,
        trainer: Trainer,
        origin: dict[str, Any],
        save_every: int | None = None,
    ) -> None:
        self.folder, self.trainer, self.origin = folder, trainer, origin
        self._ranks = trainer.ranks
        self._save_every = save_every
        self._saved_at = NEVER
        self._clock = time.perf_counter() - trainer.state.run_seconds

    def __enter__(self) -> "Run":
        return self

    def __exit__(self, *_: object) -> None:
        self.folder.release()

    def train(self, watch: Watch | None = None) -> int | None:
        """Train to the end and return None, or up to a signal and return its number.

        ``watch`` may stop it too, which is told from the end by ``trainer.finished``. In all
        cases all of it is saved. Of several ranks, each calls this, and all return the same.

        Raises RunError when training diverges, EnvironmentFault when nothing can be saved; what
        was saved before stays as it was.
        """
        with StopSignals() as signals, self._ranks.together():
            return self._train(watch or Watch(), signals)

    def _train(self, watch: Watch, signals: StopSignals) -> int | None:
        ranks = self._ranks
        with watch.compilation():
            ranks.in_turn(self.trainer.rehearse)
        signals.defer()
        ranks.wish = lambda: bool(signals.received) or watch.stops() or self._time_to_save()
        with ranks.together():
            if self._saved_at == NEVER:
                self.open_books()

        def after_batch() -> bool:
            watch.batch(self.trainer)
            if not (ranks.pausing() or self._batches_to_save()):
                return False
            with ranks.together():
                self._save()
            return bool(ranks.largest(signals.received or int(watch.stops())))

        def after_epoch() -> None:
            with ranks.together():
                self._save()
                self._publish()
            watch.epoch(self.trainer)

        with watch.training(self.trainer):
            self.trainer.train(after_batch, after_epoch)
        return ranks.largest(signals.received or 0) or None

    def finish(self) -> Result:
        """Calibrate and test the best weights, write the result, draw the curves if possible."""
        trainer, folder, dataset = self.trainer, self.folder, self.trainer.dataset
        score = measure(trainer.best, dataset.test_images, dataset.test_labels)
        calibration = calibrate(trainer.best, *trainer.validation_part, dataset.class_names)
        self._publish(calibration=calibration)
        images = trainer.recipe.epochs * len(trainer.training)
        result = Result(
            test_accuracy=score.accuracy,
            errors=score.errors,
            n=score.n,
            seconds=round(time.perf_counter() - self._clock, 3),
            images_per_second=round(images / trainer.state.training_seconds, 1),
            peak_memory_mb=round(peak_memory_mb(), 1),
            run_dir=str(folder.path),
            weights=str(folder.weights),
        )
        folder.write_json(folder.result, asdict(result))
        if can_draw():
            optional_chart(folder.curves, lambda: draw_curves(trainer.state.history))
        return result

    def open_books(self) -> None:
        """Save the run for the first time, and let ``last`` mean it.

        ``train`` does so when kernels are compiled. Done earlier, a run that is stopped while they
        are can be resumed, and a folder that cannot be written to is noticed at once.
        """
        self._save()  # the first file there is: a folder with any other can be resumed
        self.folder.point_last_here()
        hands = {"threads": get_threads(), "ranks": self._ranks.size}
        self.folder.write_json(self.folder.config, {**self.origin, **hands})
        self._publish()  # after a crash these files may not be where the checkpoint is

    def _batches_to_save(self) -> bool:
        return self._save_every is not None and self.trainer.state.batch % self._save_every == 0

    def _time_to_save(self) -> bool:
        due = time.perf_counter() - self._saved_at > SAVE_SECONDS
        return due and self._save_every is None

    def _save(self) -> None:
        trainer = self.trainer
        trainer.state.run_seconds = time.perf_counter() - self._clock
        payload = encode(Checkpoint(trainer.arrays(), trainer.state, self.origin))
        try:
            self.folder.write_checkpoint(payload)
        except EnvironmentFault as fault:
            raise EnvironmentFault(f"{fault}; what was saved before is untouched") from fault
        self._saved_at = time.perf_counter()

    def _publish(self, **more: Any) -> None:
        """Write the files that people read; all that they hold follows from the checkpoint.

        ``more`` is added to what the weights file says.
        """
        state = self.trainer.state
        lines = [json.dumps(asdict(record)) + "\n" for record in state.history]
        grow(self.folder.metrics, "".join(lines).encode())
        if state.best_epoch:
            self.trainer.best.save(self.folder.weights, **self._description(), **more)

    def _description(self) -> dict[str, Any]:
        """What goes with the weights: no time and no place, so that equal runs are equal."""
        trainer = self.trainer
        return {
            "tinycnn": __version__,
            "classes": trainer.dataset.class_names,
            "training": {
                "dataset": trainer.dataset.name,
                "recipe": trainer.recipe.as_dict(),
                "images": len(trainer.training),
                "fingerprint": trainer.dataset.fingerprint,
                "sample": self._sample,
                "best_epoch": trainer.state.best_epoch,
                "validation_accuracy": trainer.state.best_accuracy,
            },
        }

    @functools.cached_property
    def _sample(self) -> str:
        return sample_of(self.trainer.batches.images)


class Follower(Run):
    """The run of a rank that does not lead: it trains along and leaves files to rank 0."""

    def __init__(self, trainer: Trainer, save_every: int | None = None) -> None:
        super().__init__(RunFolder(os.devnull), trainer, {}, save_every)

    def open_books(self) -> None:
        self._save()

    def _save(self) -> None:
        self._saved_at = time.perf_counter()

    def _publish(self, **more: Any) -> None:
        pass


def peak_memory_mb() -> float:
    """The most memory this process has held at once, in millions of bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
