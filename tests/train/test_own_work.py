"""Networks, layers and data of one's own, from Python and from the command line."""

import builtins
import contextlib
import csv
import json
import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import numpy as np
import pytest
from PIL import Image

import tinycnn
from tinycnn import export
from tinycnn.cli import run_command
from tinycnn.data import load_dataset, write_idx
from tinycnn.data.catalogue import FILE_NAMES
from tinycnn.data.provenance import share_known
from tinycnn.errors import ImageError, RunError, ShapeError, TinyCNNError, WeightsError
from tinycnn.evaluate import __main__ as evaluate
from tinycnn.nn import Sequential
from tinycnn.nn.fit import fit
from tinycnn.nn.presets import name_of
from tinycnn.nn.text import layers_of
from tinycnn.predict import __main__ as predict
from tinycnn.train import __main__ as train
from tinycnn.train import parts

SMALL = "Conv2D(4, 3) ReLU() MaxPool2D(2) Flatten() Dense(3)"
QUICK = ["--epochs", "2", "--threads", "1", "--quiet"]

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(autouse=True)
def own_parts():
    """No part of one test is known in another."""
    with contextlib.ExitStack() as stack:
        for table in parts.TABLES.values():
            stack.enter_context(mock.patch.dict(table))
        yield
    sys.modules.pop("mynet", None)


def call(*words, main=train.main):
    return run_command(main, [str(word) for word in words])


# The loop


@pytest.mark.parametrize("augment", ["mild", "none"])
def test_fit_gives_the_bytes_of_the_command(digits, easy_folder, augment):
    words = ["--data-dir", easy_folder, "--augment", augment, *QUICK]
    assert call(*words, "--layers", SMALL, "--run-dir", "run", "--seed", "4") == 0

    model = tinycnn.build(SMALL, (16, 16, 1), 3, seed=4)
    history = model.fit(digits.train_images, digits.train_labels, epochs=2, seed=4, augment=augment)

    saved = Sequential.load("run/weights.safetensors")
    for name, z in saved.arrays().items():
        np.testing.assert_array_equal(z, model.arrays()[name])
    lines = [json.loads(line) for line in Path("run/metrics.jsonl").read_text().splitlines()]
    assert [record.loss for record in history] == [line["loss"] for line in lines]
    assert model.evaluate(digits.test_images, digits.test_labels) == tinycnn.measure(
        saved, digits.test_images, digits.test_labels
    )
    assert model.description["training"]["sample"] == saved.description["training"]["sample"]


def test_fit_takes_floats_a_validation_pair_and_callbacks_that_stop_it(digits):
    class Once(tinycnn.Callback):
        batches = 0

        def batch(self, trainer):
            self.batches += 1
            return self.batches == 8

    callback, x = Once(), digits.train_images / 255
    model = tinycnn.build(SMALL, (16, 16, 1), 3)
    pair = digits.test_images[:10] / 255, digits.test_labels[:10]
    history = model.fit(
        x, digits.train_labels, epochs=9, batch_size=20, validation=pair, callbacks=[callback]
    )
    assert (len(history), callback.batches) == (1, 8)
    (record,) = history
    assert record.validation_accuracy == model.evaluate(*pair).accuracy


def test_fit_leaves_the_network_as_it_was_when_something_does_not_fit(digits):
    model = tinycnn.build(SMALL, (16, 16, 1), 3)
    before = {name: z.copy() for name, z in model.arrays().items()}
    images, labels = digits.train_images, digits.train_labels
    for bad, words in (
        ({"images": images[:, :9]}, "images have shape"),
        ({"labels": labels + 0.5}, "class numbers"),
        ({"labels": labels + 1}, "out of range"),
        ({"augment": lambda images, rng: images[:, :3]}, "must return images of the same type"),
        ({"optimizer": "magic"}, "no `optimizer` magic"),
    ):
        with pytest.raises(TinyCNNError, match=words):
            model.fit(**{"images": images, "labels": labels, "epochs": 1, **bad})
    assert all(np.array_equal(z, before[name]) for name, z in model.arrays().items())


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ([[1], [2]], r"labels are int64 \(2, 1\); they must be class numbers .* the 2 images"),
        ([1], "class numbers"),
        (None, "class numbers"),
        ([[1, 2], [3]], "labels are no array: their parts differ in shape"),
        ([1, 10], "label 10 is out of range, the classes are 0 to 9"),
    ],
)
def test_neither_fit_nor_evaluate_takes_labels_that_do_not_fit_the_images(labels, words):
    model, images = tinycnn.build("dense"), np.zeros((2, 28, 28), np.uint8)
    small = partial(fit, model, optimizer=tinycnn.SGD(model, 0.1))  # that of the README
    for use in (model.fit, model.evaluate, small):
        with pytest.raises(ShapeError, match=words):
            use(images, labels)
        with pytest.raises(ShapeError, match="there are no images"):
            use(images[:0], np.zeros(0, int))


def test_a_wrong_scale_is_mentioned_and_a_learning_rate_that_is_none_refused(digits):
    model = tinycnn.build(SMALL, (16, 16, 1), 3)
    with pytest.warns(UserWarning, match="float64 from 0 to 2"):
        model.fit(digits.train_images.astype(float), digits.train_labels, epochs=1)
    for lr in (-1, 0, "a", None, float("nan")):
        with pytest.raises(ShapeError, match="`lr` must be a number above 0, not"):
            tinycnn.SGD(model, lr)


def test_a_single_image_is_read_as_one():
    model, images = tinycnn.load(), load_dataset().test_images[:3]
    one = model.predict_proba(images[1])
    assert one.shape == (1, 10)
    np.testing.assert_allclose(one, model.predict_proba(images)[1:2], rtol=1e-5, atol=1e-7)
    np.testing.assert_array_equal(model.predict(images[1][..., None]), model.predict(images[1:2]))


# Reading


def test_files_strokes_and_arrays_are_read_in_one_line_by_many_threads(tmp_path):
    dataset = load_dataset()
    image, told = dataset.test_images[0], str(dataset.test_labels[0])
    one = [[(5, 0), (5, 20)]]
    Image.fromarray(image).save(tmp_path / "seven.png")
    (tmp_path / "one.jsonl").write_text(json.dumps({"strokes": one}))
    inks = [image, image / 255, tmp_path / "seven.png", one, tmp_path / "one.jsonl"]

    def texts(_):
        return [tinycnn.read(ink).text for ink in inks]

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(texts, range(4))) == [[told, told, told, "1", "1"]] * 4
    assert tinycnn.read(image, tinycnn.load()).digits[0].confidence > 0.5


def test_what_cannot_be_read_is_said(tmp_path):
    (tmp_path / "letter.txt").write_text("Dear Mum")
    for ink, words in (
        (tmp_path / "letter.txt", "letter.txt: "),
        (tmp_path / "no.png", "no.png: it cannot be read: No such file"),
        (np.zeros((2, 28, 28)), r"an array of gray levels \(H, W\)"),
        (np.full((28, 28), 3.0), "floats from 0 to 1"),
    ):
        with pytest.raises(ImageError, match=words):
            tinycnn.read(ink)


def test_a_folder_becomes_a_table_with_the_reason_where_a_file_cannot_be_read(capsys):
    Path("scans").mkdir()
    dataset = load_dataset()
    Image.fromarray(dataset.test_images[0]).save("scans/b.png")
    for name in ("a.txt", ".hidden"):
        Path("scans", name).write_text("Dear Mum")
    assert call("scans", "--csv", "scans.csv", main=predict.main) == 1
    head, letter, digit = csv.reader(Path("scans.csv").read_text().splitlines())
    assert head == ["file", "index", "text", "confidence", "error"]
    assert (letter[0], letter[2], letter[4][:10]) == ("scans/a.txt", "", "this is no")
    assert digit[:3] == ["scans/b.png", "", str(dataset.test_labels[0])]
    assert call("scans", "--csv", "scans/b.png", main=predict.main) == 2
    assert "scans/b.png is an input" in capsys.readouterr().err


# Parts


def test_layers_as_text_are_the_layers_and_presets_have_their_names():
    model = tinycnn.build("Conv2D(16,3) ReLU MaxPool2D(size=2) Flatten Dense(10)")
    assert model.parameter_count() == 16 * 9 + 16 + 13 * 13 * 16 * 10 + 10
    for name in ("lenet", "tiny", "best", "dense"):
        assert name_of(tinycnn.build(name, classes=7)) == name
    text = name_of(model)
    assert [x.config() for x in layers_of(text)] == [x.config() for x in model]
    for wrong, words in (
        ("Conv2D(16,3) RelU", "no preset 'RelU' and no such layer"),
        ("Dense(__import__('os'))", "is no layer"),
        ("Dense(2**9)", r"is no layer: 2 \*\* 9 is neither a number nor a text"),
        ("Dense(10", "is no layer"),
        ("Dense(-1)", "whole number"),
        (f"Dense({200_000 * '-'}1)", "is no layer: it is too long"),
        ("os.system", "no preset 'os'"),
    ):
        with pytest.raises(ShapeError, match=words):
            tinycnn.build(wrong)


def test_registered_parts_train_by_name(digits):
    @tinycnn.register("augmentation")
    def noisy(images, rng):
        return images ^ rng.integers(0, 8, images.shape, np.uint8)

    @tinycnn.register("optimizer")
    class Slow(tinycnn.SGD):
        def __init__(self, layers, lr, weight_decay=0.0):
            super().__init__(layers, lr / 100, 0.5, weight_decay)

    @tinycnn.register("preset")
    def mine(classes):
        return [tinycnn.Flatten(), tinycnn.Dense(classes)]

    model = tinycnn.build("mine", (16, 16, 1), 3)
    assert name_of(model) == "mine"
    options = {"epochs": 1, "optimizer": "Slow", "augment": "noisy"}
    model.fit(digits.train_images, digits.train_labels, **options)
    recipe = model.description["training"]["recipe"]
    assert (recipe["preset"], recipe["augment"], recipe["momentum"]) == ("mine", "noisy", None)
    with pytest.raises(RunError, match="tinycnn has a preset lenet already"):
        tinycnn.register("preset")(SimpleNamespace(__name__="lenet"))
    with pytest.raises(RunError, match="no `kind` magic; choose from layer, preset"):
        tinycnn.register("magic")
    for kind, wrong in (("layer", mine), ("preset", 5), ("optimizer", None)):
        with pytest.raises(RunError, match=f"is no {kind}"):
            tinycnn.register(kind)(wrong)


OWN = """
import numpy as np
import tinycnn
from tinycnn import Conv2D, Dense, Flatten, MaxPool2D

@tinycnn.register("layer")
class Leaky(tinycnn.Layer):
    def __init__(self, slope=0.1):
        super().__init__()
        self.slope = slope

    def forward(self, x, training=False):
        self._memory = x
        return np.where(x > 0, x, np.float32(self.slope) * x)

    def backward(self, dy, input_gradient=True):
        return np.where(self.remembered() > 0, dy, np.float32(self.slope) * dy)

def network(classes):
    return [Conv2D(4, 3), Leaky(), MaxPool2D(2), Flatten(), Dense(classes)]
"""


def forget(name, layer=None):
    """Be a new process, which has not imported this."""
    del sys.modules[name]
    parts.TABLES["layer"].pop(layer, None)


def test_a_network_of_your_own_file_trains_resumes_and_is_evaluated(easy_folder, capsys):
    Path("mynet.py").write_text(OWN)
    words = ["--data-dir", easy_folder, "--epochs", "2", "--threads", "1"]
    assert call(*words, "--network", "mynet.py:network", "--run-dir", "run") == 0
    assert capsys.readouterr().out.endswith("weights.safetensors --network mynet.py:network\n")

    weights = "run/weights.safetensors"
    for main, more in ((evaluate.main, [weights]), (predict.main, ["x", "--weights", weights])):
        forget("mynet", "Leaky") if "mynet" in sys.modules else None
        assert call(*more, main=main) == 2
        err = capsys.readouterr().err
        assert f"{weights} has a layer Leaky of your own: first import mynet, or give" in err
        assert "mynet" not in sys.modules, "no weights file imports anything"
        assert call(*more, "--network", "mynet.py", main=main) == (main is predict.main)
        capsys.readouterr()
    assert call("run", "--to", "pytorch", "--network", "mynet.py", main=export.main) == 2
    assert (
        "Leaky(0.1) cannot be exported: other programs do not have this" in capsys.readouterr().err
    )
    forget("mynet", "Leaky")
    assert call("--resume", "run", "--epochs", "3") == 2
    assert "there is no preset 'Leaky' and no such layer" in capsys.readouterr().err
    assert call("--resume", "run", "--epochs", "3", "--network", "mynet.py") == 0


@pytest.mark.parametrize(
    ("file", "source", "words"),
    [
        ("x = 1/0", "mynet.py", "mynet.py, line 1: ZeroDivisionError: division by zero; --debug"),
        ("\nx = (", "mynet.py", "mynet.py, line 2: SyntaxError: '(' was never closed"),
        ("", "mynet.py:net", "there is no function net in"),
        ("def network(n): return 1 / 0", "mynet.py", "mynet.py, line 1: ZeroDivisionError"),
        ("def network(n): return [n]", "mynet.py", "mynet.py makes a network of int, which is no"),
        ("", "other.py", "there is no file "),
        (OWN.replace("where(x", "when(x"), "mynet.py", "mynet.py, line 14: AttributeError: m"),
    ],
)
def test_a_file_that_is_no_network_is_said(capsys, file, source, words):
    Path("mynet.py").write_text(file)
    assert call("--network", source, "--limit", "40", *QUICK) == 2
    assert capsys.readouterr().err.startswith(f"error: {words}")
    sys.modules.pop("mynet", None)


# Going on


def few_digits(folder, classes, count=60):
    """A folder with digits of the first ``classes`` classes, which no network has seen."""
    dataset = load_dataset()
    folder.mkdir()
    for part, images, labels in (
        (0, dataset.train_images, dataset.train_labels),
        (2, dataset.test_images, dataset.test_labels),
    ):
        chosen = np.flatnonzero(labels < classes)[:count]
        write_idx(folder / FILE_NAMES[part], np.roll(images[chosen], 1, axis=2))
        write_idx(folder / FILE_NAMES[part + 1], labels[chosen])
    return folder


def test_fine_tuning_begins_with_the_weights_and_is_calibrated_anew(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("tinycnn.train.calibration.NON_DIGITS", 50)
    mine = few_digits(tmp_path / "mine", classes=9)
    words = ["--weights", "default", "--data-dir", mine, "--lr", "0.0005", *QUICK]
    assert call(*words, "--run-dir", "whole") == 0
    base, tuned = tinycnn.load("default"), tinycnn.load("whole")
    assert tuned.description["classes"] == [str(k) for k in range(10)], "it may still read a 9"
    assert tuned.description["calibration"] != base.description["calibration"]
    assert tuned.description["training"]["recipe"]["preset"] == name_of(base)
    change = np.abs(tuned.arrays()["0.w"] - base.arrays()["0.w"]).max()
    assert 0 < change < 0.05
    sample = tuned.description["training"]["sample"]
    for images in (load_dataset(data_dir=mine).train_images[:50], load_dataset().train_images):
        assert share_known(images, sample) > 0.9, "what it learned from, before and now"

    with monkeypatch.context() as patch:
        sigterm = partial(os.kill, os.getpid(), signal.SIGTERM)
        patch.setattr("tinycnn.train.run.calibrate", lambda *_: sigterm())
        assert call(*words, "--run-dir", "stopped") == 143
    assert "stopped after training, before the test; everything is saved" in capsys.readouterr().err
    assert call("--resume", "stopped", "--quiet") == 0
    whole, stopped = (Path(name, "weights.safetensors") for name in ("whole", "stopped"))
    assert stopped.read_bytes() == whole.read_bytes()


def test_fine_tuning_refuses_classes_that_the_network_does_not_have(easy_folder, capsys):
    model = tinycnn.build(SMALL, (16, 16, 1), 3)
    model.save("letters.safetensors", classes=["a", "b", "c"])
    assert call("--weights", "letters.safetensors", "--data-dir", easy_folder, *QUICK) == 2
    assert "easy has the class 0, and letters.safetensors only a, b, c" in capsys.readouterr().err
    assert call("--weights", "default", "--data-dir", easy_folder, *QUICK) == 2
    assert "default takes inputs of shape (28, 28, 1), and the images" in capsys.readouterr().err
    assert not Path("runs").exists()


def test_more_epochs_give_the_bytes_of_a_run_that_had_them_from_the_start(easy_folder, capsys):
    words = ["--data-dir", easy_folder, "--layers", SMALL, "--augment", "none", "--quiet"]
    words += ["--schedule", "constant", "--threads", "1"]
    assert call(*words, "--epochs", "5", "--run-dir", "long") == 0
    assert call(*words, "--epochs", "2", "--run-dir", "short") == 0
    capsys.readouterr()
    assert call("--resume", "short", "--epochs", "5", "--json", "events", "--quiet") == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [event.get("epoch") for event in events] == [3, 4, 5, None]
    assert events[-1]["event"] == "result"
    long, short = (Path(name, "weights.safetensors").read_bytes() for name in ("long", "short"))
    assert long == short
    assert json.loads(Path("short/config.json").read_text())["recipe"]["epochs"] == 5
    assert call("--resume", "short", "--epochs", "4") == 2
    assert "--epochs 4 (the run has 5)" in capsys.readouterr().err


# Watching


def test_other_programs_get_the_numbers_of_every_epoch(digits, monkeypatch):
    board, wandb, mlflow = (mock.MagicMock() for _ in range(3))
    for name, module in (("tensorboard.summary", board), ("wandb", wandb), ("mlflow", mlflow)):
        monkeypatch.setitem(sys.modules, name, module)
    model = tinycnn.build(SMALL, (16, 16, 1), 3)
    callbacks = [tinycnn.TensorBoard("logs"), tinycnn.WandB(project="x"), tinycnn.MLflow()]
    model.fit(digits.train_images, digits.train_labels, epochs=1, callbacks=callbacks)
    (told,) = mlflow.log_metrics.call_args_list
    assert [told] == wandb.init.return_value.log.call_args_list
    numbers, epoch = told.args
    assert list(numbers)[:3] == ["loss", "validation_loss", "validation_accuracy"]
    scalars = board.Writer.return_value.add_scalar.call_args_list
    assert [call.args for call in scalars] == [(*pair, epoch) for pair in numbers.items()]
    assert epoch == 1


@pytest.mark.parametrize("name", ["tensorboard", "wandb", "mlflow"])
def test_a_log_that_is_not_installed_says_how_to_install_it(easy_folder, capsys, monkeypatch, name):
    monkeypatch.setitem(sys.modules, name, None)
    assert call("--data-dir", easy_folder, "--log", name, *QUICK) == 3
    assert f"pip install 'tinycnn[{name}]'" in capsys.readouterr().err
    assert not Path("runs").exists()


def test_every_public_name_is_there():
    names = [*tinycnn.__all__, "DigitClassifier"]
    assert not [name for name in names if getattr(tinycnn, name, None) is None]
    assert not set(names) & set(vars(builtins))
    for name, words in (("nowhere.safetensors", "does not exist"), (None, "None names no weights")):
        with pytest.raises(WeightsError, match=words):
            tinycnn.load(name)
