"""A run is a trainer in its folder: it saves itself, can be stopped at any moment, and finishes.

``resume.start`` and ``resume.resume`` make one. Then:

    with start(...) as run:
        if run.train() is None:  # else it was stopped, by the signal it returns
            print(run.finish())

The files for people (metrics, weights) always follow from the checkpoint.
"""

import functools
import json
import resource
import sys
import time
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from typing import Any

from tinycnn import __version__
from tinycnn.console import log_console
from tinycnn.data.provenance import sample_of
from tinycnn.files import PathLike, grow, to_json, write_bytes
from tinycnn.metrics import measure
from tinycnn.nn import Sequential, get_threads
from tinycnn.nn.folding import FOLDED, fold
from tinycnn.plots import or_warn
from tinycnn.signals import StopSignals
from tinycnn.train.calibration import calibrate
from tinycnn.train.callbacks import Callback
from tinycnn.train.checkpoint import Checkpoint, encode
from tinycnn.train.compile_progress import compilation_shown
from tinycnn.train.curves import draw_curves
from tinycnn.train.folder import RunFolder
from tinycnn.train.precompile import rehearse
from tinycnn.train.trainer import Trainer

SAVE_SECONDS = 10.0
"""A crash costs no more work than this, unless a number of batches is given."""


@dataclass(frozen=True)
class Result:
    """The result of a finished run; ``seconds`` counts all its parts if it was interrupted."""

    test_accuracy: float
    errors: int
    n: int
    seconds: float
    images_per_second: float
    peak_memory_mb: float
    run_dir: str
    weights: str


class Run(AbstractContextManager["Run"]):
    """A trainer in a locked folder, which is released at the end of a ``with``.

    From ``origin`` (JSON: recipe, data, versions) a later process makes an equal trainer.
    ``save_every`` is the number of batches between checkpoints; None goes by the clock. Every
    epoch ends with a checkpoint as well.
    """

    def __init__(
        self,
        folder: RunFolder,
        trainer: Trainer,
        origin: dict[str, Any],
        save_every: int | None = None,
    ) -> None:
        self.folder, self.trainer, self.origin = folder, trainer, origin
        self._is_leader = trainer.ranks.is_leader
        self._save_every = save_every
        self._saved_at = time.perf_counter()
        self._clock = self._saved_at - trainer.state.run_seconds

    def __exit__(self, *_: object) -> None:
        self.folder.release()

    def train(self, callback: Callback | None = None, quiet: bool = True) -> int | None:
        """Train to the end and return None, or up to a signal and return its number.

        ``callback`` may stop it too; then ``trainer.finished`` is False. Everything is saved in
        all cases. Each of several ranks calls this, and all return the same. Unless ``quiet``, it
        says that kernels are compiled.

        Raises RunError if training diverges and EnvironmentFault if nothing can be saved; the
        files saved before stay as they are.
        """
        callback, trainer, ranks = callback or Callback(), self.trainer, self.trainer.ranks
        with StopSignals() as signals, ranks.all_or_none():
            with compilation_shown(log_console(quiet)):
                ranks.first_then_rest(lambda: rehearse(trainer))
            signals.defer()
            with callback.training(trainer):
                trainer.train(
                    lambda: self._pause_if_needed(callback, signals),
                    lambda: self._end_epoch(callback),
                )
            return ranks.largest(signals.received or 0) or None

    def finish(self) -> Result:
        """Calibrate and test the best weights, write the result, draw the curves if possible."""
        trainer, folder, dataset = self.trainer, self.folder, self.trainer.dataset
        network = self._answering()
        score = measure(network, dataset.test_images, dataset.test_labels)
        known = *trainer.validation_part, dataset.class_names, trainer.recipe.augment
        self._publish(calibration=calibrate(network, *known))
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
        _write_json(folder.result, asdict(result))
        if find_spec("matplotlib"):
            history, path = trainer.state.history, folder.curves
            or_warn(str(path), lambda: write_bytes(path, draw_curves(history)))
        return result

    def publish_origin(self) -> None:
        """Write the options of the run, and let ``last`` mean it."""
        self.folder.point_last_here()
        workers = {"threads": get_threads(), "ranks": self.trainer.ranks.size}
        _write_json(self.folder.config, {**self.origin, **workers})

    def _pause_if_needed(self, callback: Callback, signals: StopSignals) -> bool:
        """Save between two batches if it is time; return whether to stop."""
        ranks, every = self.trainer.ranks, self._save_every
        stop = bool(callback.batch(self.trainer)) or signals.received is not None
        late = time.perf_counter() - self._saved_at > SAVE_SECONDS
        due = late if every is None else self.trainer.state.batch % every == 0
        wanted = ranks.largest(2 * stop + due)  # by any rank
        if wanted:
            with ranks.all_or_none():
                self.save()
        return wanted > 1

    def _end_epoch(self, callback: Callback) -> None:
        with self.trainer.ranks.all_or_none():
            self.save()
            if self._is_leader:
                self._publish()
        callback.epoch(self.trainer)

    def save(self) -> None:
        """Write a checkpoint; ranks other than the leader only remember when."""
        trainer = self.trainer
        if self._is_leader:
            trainer.state.run_seconds = time.perf_counter() - self._clock
            payload = encode(Checkpoint(trainer.arrays(), trainer.state, self.origin))
            self.folder.write_checkpoint(payload)
        self._saved_at = time.perf_counter()

    def _publish(self, **more: Any) -> None:
        """Write the files for people, which follow from the checkpoint.

        ``more`` is added to the metadata of the weights file.
        """
        state = self.trainer.state
        lines = [json.dumps(asdict(record)) + "\n" for record in state.history]
        grow(self.folder.metrics, "".join(lines).encode())
        if state.best_epoch:
            self._answering().save(
                self.folder.weights, **describe(self.trainer, self._sample), **more
            )

    def _answering(self) -> Sequential:
        """Return the best network as it is saved."""
        best = self.trainer.best
        return fold(best) if self.trainer.recipe.preset in FOLDED else best

    @functools.cached_property
    def _sample(self) -> str:
        base = self.origin.get("base", {}).get("sample", "")
        return sample_of(self.trainer.batches.images, base)


def describe(trainer: Trainer, sample: str) -> dict[str, Any]:
    """Return the metadata of the weights: no time and no path, so that equal runs are equal.

    ``sample`` is that of all images that the network was trained on.
    """
    return {
        "tinycnn": __version__,
        "classes": trainer.dataset.class_names,
        "training": {
            "dataset": trainer.dataset.name,
            "recipe": asdict(trainer.recipe),
            "images": len(trainer.training),
            "fingerprint": trainer.dataset.fingerprint,
            "sample": sample,
            "best_epoch": trainer.state.best_epoch,
            "validation_accuracy": trainer.state.best_accuracy,
        },
    }


def _write_json(path: PathLike, content: Any) -> None:
    write_bytes(path, (to_json(content, indent=2) + "\n").encode())


def peak_memory_mb() -> float:
    """Return the most memory this process has held at once, in millions of bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
