"""Training learns, gives the same bytes for the same seed, and loses nothing when it is stopped."""

import json
import math
import os
import signal
import threading
from dataclasses import asdict

import numpy as np
import pytest

from tinycnn.data import write_idx
from tinycnn.data.provenance import share_known
from tinycnn.errors import RunError, ShapeError
from tinycnn.metrics import is_among_the_best, measure
from tinycnn.nn import Sequential
from tinycnn.train import checkpoint
from tinycnn.train.batches import Batches
from tinycnn.train.callbacks import Callback
from tinycnn.train.curves import draw_curves
from tinycnn.train.folder import RunFolder, find_run, find_weights, new_name
from tinycnn.train.precompile import rehearse
from tinycnn.train.recipe import Recipe
from tinycnn.train.resume import Source, resume, start
from tinycnn.train.state import EpochRecord, State
from tinycnn.train.trainer import Trainer

pytestmark = pytest.mark.usefixtures("one_thread")


SMALL = "Conv2D(4, 3) ReLU MaxPool2D(2) Flatten Dense(3)"
REGULAR = "Conv2D(4, 3) BatchNorm ReLU MaxPool2D(2) Flatten Dropout(0.2) Dense(3)"


def recipe(**given):
    plain = {"preset": SMALL, "epochs": 3, "batch_size": 16, "augment": "none"}
    return Recipe.for_data(100, **{**plain, **given})


def new_run(digits, folder, save_every=2, **given):
    source = Source.of(digits, "mnist10k", os.path.dirname(digits.sources[0]))
    folder = folder or new_name(digits.name, "small", given.get("seed", 0))
    return start(recipe(**given), digits, source, folder, save_every)


def resumed(path, *arguments, **options):
    """A run that could be resumed, and is not."""
    run, warnings = resume(path, *arguments, **options)
    run.folder.release()
    return run, warnings


def finish(run):
    with run:
        assert run.train() is None
        return run.finish()


def stopped(digits, folder, after=9):
    """A run that Ctrl-C has stopped."""
    with new_run(digits, folder) as run:
        run.train(Interrupter(after))
    return run


def final_bytes(path):
    return (path / "weights.safetensors").read_bytes()


class Interrupter(Callback):
    """Sends this process a signal after the ``after``-th batch."""

    def __init__(self, after, number=signal.SIGINT):
        self.after, self.number = after, number

    def batch(self, trainer):
        self.after -= 1
        if self.after == 0:
            os.kill(os.getpid(), self.number)


# Learning


@pytest.mark.parametrize(("optimizer", "lr"), [("sgd", 0.07), ("adam", 0.01)])
def test_a_run_learns_and_reports_what_it_learned(digits, tmp_path, optimizer, lr):
    result = finish(new_run(digits, tmp_path / "run", optimizer=optimizer, lr=lr, epochs=6))

    model = Sequential.load(result.weights)
    wrong = int((model.predict(digits.test_images) != digits.test_labels).sum())
    assert result.errors == wrong <= 4
    assert (result.n, result.test_accuracy) == (40, (40 - wrong) / 40)
    assert result.seconds > 0
    assert result.images_per_second > 0
    assert result.peak_memory_mb > 20


def test_the_weights_are_those_of_the_best_epoch_on_the_validation_part(digits, tmp_path):
    class Spy(Callback):
        def epoch(self, trainer):
            models.append([z.copy() for z in trainer.arrays().values()][:4])

    models = []
    with new_run(digits, tmp_path / "run", lr=0.3, epochs=6) as run:
        run.train(Spy())
        run.finish()
        state = run.trainer.state
        accuracies = [record.validation_accuracy for record in state.history]

    kept = Sequential.load(tmp_path / "run" / "weights.safetensors")
    best = max(k for k in range(6) if is_among_the_best(accuracies[: k + 1], 10))
    assert state.best_epoch == best + 1
    for ours, theirs in zip([kept.layers[0], kept.layers[4]], (0, 2), strict=True):
        np.testing.assert_array_equal(ours.params["w"], models[best][theirs])
    validation = digits.train_images[90:], digits.train_labels[90:]
    assert measure(kept, *validation).accuracy == accuracies[best]


def test_neither_validation_nor_test_images_are_trained_on(digits):
    trainer = Trainer(recipe(), digits)
    seen = {image.tobytes() for images, _ in trainer.batches.of_epoch(1) for image in images}

    assert seen == {image.tobytes() for image in digits.train_images[:90]}
    assert (trainer.training, trainer.validation) == (range(90), range(90, 100))
    assert not seen & {image.tobytes() for image in (*digits.test_images,)}
    limited = Trainer(recipe(limit=50), digits)
    assert (limited.training, limited.validation) == (range(45), range(45, 50))


# The same bytes


@pytest.mark.parametrize(
    ("preset", "optimizer", "after"),
    [
        (SMALL, "sgd", [1]),
        (SMALL, "sgd", [6]),  # the last batch of an epoch, before validation
        (SMALL, "sgd", [3, 1, 9]),
        (SMALL, "adam", [5, 2, 2, 2]),
        (REGULAR, "sgd", [4, 7]),  # what is not learned by gradients counts as well
    ],
)
def test_an_interrupted_and_resumed_run_ends_with_the_same_bytes(
    digits, tmp_path, preset, optimizer, after
):
    options = {"preset": preset, "optimizer": optimizer, "weight_decay": 1e-3, "augment": "mild"}
    options["average"] = 0.9 if preset == REGULAR else 0.0
    finish(new_run(digits, tmp_path / "whole", **options))

    run = new_run(digits, tmp_path / "pieces", **options)
    for count in after:
        with run:
            assert run.train(Interrupter(count)) == signal.SIGINT
        run, warnings = resume(tmp_path / "pieces", {}, save_every=2)
        assert warnings == []
    finish(run)

    assert final_bytes(tmp_path / "whole") == final_bytes(tmp_path / "pieces")
    whole, pieces = metrics(tmp_path / "whole"), metrics(tmp_path / "pieces")
    for name in ("epoch", "loss", "validation_loss", "validation_accuracy", "lr"):
        assert [line[name] for line in whole] == [line[name] for line in pieces]


def metrics(path):
    return [json.loads(line) for line in (path / "metrics.jsonl").read_text().splitlines()]


# Signals


def test_a_run_can_train_outside_the_main_thread(digits, tmp_path):
    run, results = new_run(digits, tmp_path / "run"), []
    thread = threading.Thread(target=lambda: results.append(finish(run)))
    thread.start()
    thread.join()

    assert results[0].n == 40


# Checkpoints


def damages(good):
    """A checkpoint with a wrong bit, cut off, or not there."""
    bits = [*np.random.default_rng().integers(0, 8 * len(good), 30).tolist(), *range(0, 64, 7)]
    for bit in bits:
        damaged = bytearray(good)
        damaged[bit // 8] ^= 1 << bit % 8
        yield f"bit {bit}", bytes(damaged)
    for kept in (0, 7, 8, 300, len(good) // 2, len(good) - 1):
        yield f"cut after {kept}", good[:kept]
    yield "gone, as between the two calls of a save", None


def test_every_damaged_checkpoint_is_noticed_and_the_previous_one_is_used(digits, tmp_path):
    finish(new_run(digits, tmp_path / "whole"))
    run = stopped(digits, tmp_path / "run")
    newest, previous = run.folder.checkpoint, run.folder.previous
    before = previous.read_bytes()
    for name, damaged in damages(newest.read_bytes()):
        newest.unlink() if damaged is None else newest.write_bytes(damaged)
        previous.write_bytes(before)
        run, warnings = resumed(tmp_path / "run", {})
        assert len(warnings) == (damaged is not None), name
        assert (run.trainer.state.epoch, run.trainer.state.batch) == (2, 2)
        assert newest.read_bytes() == before, "the damaged one must not push out the good one"
    run, _ = resume(tmp_path / "run", {})
    finish(run)
    assert final_bytes(tmp_path / "run") == final_bytes(tmp_path / "whole")

    for path in (newest, previous):
        path.write_bytes(b"no checkpoint")
    files = files_of(tmp_path / "run")
    with pytest.raises(RunError, match=r"cannot be resumed.*checkpoint\.safetensors.*\.prev\."):
        resume(tmp_path / "run", {})
    assert files_of(tmp_path / "run") == files


def files_of(folder):
    hidden = (".lock",)
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.name not in hidden}


def forged(run, arrays=None, origin=None, **numbers):
    """A checkpoint whose checksum is right and whose content is not."""
    state = State(**{**vars(run.trainer.state), **numbers})
    mine = {name: z.copy() for name, z in run.trainer.arrays().items()}
    content = checkpoint.Checkpoint({**mine, **(arrays or {})}, state, origin or run.origin)
    run.folder.checkpoint.write_bytes(checkpoint.encode(content))
    run.folder.previous.unlink(missing_ok=True)


def test_a_checkpoint_that_does_not_fit_its_run_is_refused(digits, tmp_path):
    run = stopped(digits, tmp_path / "run")
    forgeries = {
        "does not fit": [
            {"arrays": {"weights.9.w": np.zeros(3, np.float32)}},
            {"arrays": {"weights.0.b": np.zeros((4, 1), np.float32)}},
            {"arrays": {"weights.0.b": np.zeros(4, np.float64)}},
            *({"epoch": epoch} for epoch in (99, 0, 1)),
            {"batch": 7},
        ],
        "is no checkpoint": [{"batch": 1.5}, {"loss_sum": math.nan}]
        + [{"epoch": "2"}, {"images": True}],
        "not one of this version": [
            {"origin": origin}
            for origin in ({"x": 1}, {"recipe": [], "data": {}}, {"recipe": {"epochs": 1}})
        ],
    }
    for words, changes in forgeries.items():
        for change in changes:
            forged(run, **change)
            with pytest.raises(RunError, match=words):
                resume(tmp_path / "run", {})


def test_a_checkpoint_is_written_every_so_many_batches_and_after_every_epoch(digits, tmp_path):
    class Reader(Callback):
        def batch(self, trainer):
            saved = checkpoint.read(tmp_path / "run" / "checkpoint.safetensors").state
            places.append((saved.epoch, saved.batch))

    places = []
    with new_run(digits, tmp_path / "run", save_every=4, epochs=2) as run:
        run.train(Reader())
    assert places == [*[(1, 0)] * 4, (1, 4), (1, 4), *[(2, 0)] * 4, (2, 4), (2, 4)]


# Numbers that are not finite


def poison_gradient(trainer):
    genuine = trainer.loss.backward

    def backward(count):
        gradient = genuine(count)
        gradient[0, 1] = np.nan
        return gradient

    trainer.loss.backward = backward


def poison(name, value):
    def change(trainer):
        trainer.arrays()[name].flat[1] = value

    return change


@pytest.mark.parametrize(
    ("poison", "culprit"),
    [
        (poison("weights.4.b", np.nan), "the loss is nan"),
        (poison_gradient, r"the gradient of \w in layer"),
        (poison("optimizer.velocity.4.w", np.inf), r"the new value of \w in layer"),
    ],
)
def test_a_number_that_is_not_finite_stops_the_run_in_its_batch(digits, tmp_path, poison, culprit):
    class Poisoner(Callback):
        def batch(self, trainer):
            if trainer.optimizer.steps == 10:
                before.update(files_of(tmp_path / "run"))
                poison(trainer)

    before = {}
    message = rf"diverged in epoch 2, batch 5: {culprit}.*try `lr`"
    with (
        new_run(digits, tmp_path / "run", save_every=3) as run,
        pytest.raises(RunError, match=message),
    ):
        run.train(Poisoner())
    assert files_of(tmp_path / "run") == before
    run, _ = resumed(tmp_path / "run", {})
    assert all(np.isfinite(array).all() for array in run.trainer.arrays().values())


def test_arrays_that_are_not_finite_are_never_saved(digits):
    trainer = Trainer(recipe(), digits)
    for value in (np.nan, np.inf, -np.inf):
        arrays = {name: z.copy() for name, z in trainer.arrays().items()}
        arrays["optimizer.velocity.0.w"][0, 0, 0, 0] = value
        with pytest.raises(RunError, match=r"velocity\.0\.w holds numbers that are not finite"):
            checkpoint.encode(checkpoint.Checkpoint(arrays, State(), {}))


def test_metrics_grow_by_appending_and_a_torn_line_is_completed_on_resume(digits, tmp_path):
    path, versions = tmp_path / "run" / "metrics.jsonl", []

    class Reader(Callback):
        def epoch(self, trainer):
            versions.append((path.stat().st_ino, path.read_bytes()))

    with new_run(digits, tmp_path / "run", epochs=4) as run:
        run.train(Reader())
    assert len({inode for inode, _ in versions}) == 1
    contents = [content for _, content in versions]
    assert [content.count(b"\n") for content in contents] == [1, 2, 3, 4]
    assert all(contents[-1].startswith(content) for content in contents)

    for torn in (contents[-1][:-30], contents[2], b"", contents[1] + b"\0\0\0"):
        path.write_bytes(torn)
        run, _ = resume(tmp_path / "run", {})
        finish(run)
        assert path.read_bytes() == contents[-1]


# The folder and its lock


def test_only_one_training_has_a_run_folder(digits, tmp_path):
    folder, words = tmp_path / "run", rf"in use by another training \(process {os.getpid()}"
    with new_run(digits, folder) as run:
        run.train(Interrupter(3))
        with pytest.raises(RunError, match=words):
            new_run(digits, folder)
        with pytest.raises(RunError, match=words):
            resume(folder, {})
    resumed(folder, {})


def test_a_used_folder_is_refused_and_another_program_s_folder_is_left_alone(digits, tmp_path):
    finish(new_run(digits, tmp_path / "run"))
    before = files_of(tmp_path / "run")
    with pytest.raises(RunError, match="used already; continue with `resume`"):
        new_run(digits, tmp_path / "run")
    assert files_of(tmp_path / "run") == before

    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "mum.txt").write_text("Dear Mum")
    with pytest.raises(RunError, match="used already"):
        new_run(digits, tmp_path / "letters")
    assert [path.name for path in (tmp_path / "letters").iterdir()] == ["mum.txt"]


def test_runs_get_names_of_their_own_and_last_is_the_newest(digits, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RunError, match="no last run"):
        find_run("last")
    results = [finish(new_run(digits, None, seed=7)) for _ in range(3)]

    assert len({result.run_dir for result in results}) == 3
    assert all(result.run_dir.startswith("runs/20") for result in results)
    assert all("-easy-small-s7" in result.run_dir for result in results)
    assert str(find_run("last")) == results[-1].run_dir
    assert str(find_weights("last")) == results[-1].weights
    assert str(find_weights(results[0].run_dir)) == results[0].weights
    finish(new_run(digits, tmp_path / "elsewhere"))
    assert str(find_run("last")) == results[-1].run_dir


# Resume: the same settings, the same data


def test_changed_settings_are_refused_with_a_list(digits, tmp_path):
    stopped(digits, tmp_path / "run")
    before = files_of(tmp_path / "run")

    message = r"`lr` 0\.5 \(the run has 0\.05\), `epochs` 2 \(the run has 3\)"
    with pytest.raises(RunError, match=message):
        resume(tmp_path / "run", {"lr": 0.5, "epochs": 2, "batch_size": 16})
    with pytest.raises(RunError, match=r"`dataset` mnist \(the run has mnist10k\)"):
        resume(tmp_path / "run", {"dataset": "mnist"})
    assert files_of(tmp_path / "run") == before


def test_changed_data_are_refused(digits, tmp_path, easy_folder, easy_arrays):
    stopped(digits, tmp_path / "run")
    name = "t10k-images-idx3-ubyte"
    images = easy_arrays[name].copy()
    images[3, 4, 5] ^= 1
    write_idx(easy_folder / name, images)
    with pytest.raises(RunError, match="not the one that this run began with"):
        resume(tmp_path / "run", {})


def test_other_versions_are_mentioned(digits, tmp_path):
    run = stopped(digits, tmp_path / "run")
    origin = {**run.origin, "versions": {**run.origin["versions"], "numpy": "1.0"}}
    forged(run, origin=origin)

    run, warnings = resumed(tmp_path / "run", {})
    assert "'numpy': '1.0'" in warnings[0]


# What is written


def test_the_run_folder_tells_all_about_the_run_and_the_weights_no_time_and_no_place(
    digits, tmp_path
):
    result = finish(new_run(digits, tmp_path / "run", seed=5))
    folder = RunFolder(tmp_path / "run")

    config = json.loads(folder.config.read_text())
    assert config["recipe"] == asdict(recipe(seed=5))
    assert config["data"]["fingerprint"] == digits.fingerprint
    assert config["versions"]["numpy"] == np.__version__
    assert config["threads"] >= 1
    assert json.loads(folder.result.read_text())["test_accuracy"] == result.test_accuracy
    assert [sorted(line) for line in metrics(folder.path)] == [
        sorted(EpochRecord.__dataclass_fields__)
    ] * 3

    description = Sequential.load(result.weights).description
    training = description["training"]
    assert description["classes"] == ["0", "1", "2"]
    assert (training["recipe"], training["dataset"]) == (config["recipe"], "easy")
    assert training["fingerprint"] == digits.fingerprint
    assert share_known(digits.train_images[:90], training["sample"]) == 1
    assert share_known(digits.test_images, training["sample"]) == 0
    assert str(tmp_path) not in json.dumps(description)


def test_equal_histories_give_equal_curves(monkeypatch):
    history = [EpochRecord(n, 1 / n, 2 / n, 1 - 0.1 / n, 0.1, 1.0, 1.0) for n in (1, 2, 3)]
    monkeypatch.undo()  # the fixture has hidden it
    pytest.importorskip("matplotlib")
    drawn = draw_curves(history)
    assert b"<svg" in drawn
    assert drawn == draw_curves(history)


def test_a_network_with_batchnorm_learns_where_one_image_would_be_left_over(digits):
    layers = "Flatten Dense(8) BatchNorm ReLU Dense(3)"
    trainer = Trainer(recipe(preset=layers, epochs=1, limit=100, batch_size=89), digits)
    rehearse(trainer)
    trainer.train()
    assert trainer.optimizer.steps == len(trainer.batches) == 1
    with pytest.raises(ShapeError, match=r"one number a channel, \(1, 8\).*batches of two"):
        trainer.model.forward(trainer.model.prepare(digits.train_images[:1]), training=True)


# Batches


def test_every_image_is_seen_once_an_epoch_in_a_new_order():
    images = np.arange(10, dtype=np.uint8).reshape(10, 1, 1)
    batches = Batches(images, np.arange(10), 4, seed=1)
    epochs = [[labels.tolist() for _, labels in batches.of_epoch(epoch)] for epoch in (1, 2)]

    assert len(batches) == 3
    assert [len(batch) for batch in epochs[0]] == [4, 4, 2]
    assert all(sorted(np.concatenate(epoch)) == list(range(10)) for epoch in epochs)
    assert epochs[0] != epochs[1]
    for pixels, labels in batches.of_epoch(1):
        np.testing.assert_array_equal(pixels[:, 0, 0], labels)


def test_a_left_over_image_joins_the_batch_before_where_one_is_too_few():
    images = np.zeros((10, 1, 1), np.uint8)
    for size, expected in [(3, [3, 3, 4]), (4, [4, 4, 2]), (9, [10]), (10, [10]), (1, [1] * 10)]:
        batches = Batches(images, np.arange(10), size, seed=1, smallest=2)
        assert [len(labels) for _, labels in batches.of_epoch(1)] == expected
        assert [batches.count(batch) for batch in range(len(batches))] == expected
