"""Corrections survive everything; adapting helps, forgets little, and claims nothing it cannot."""

import itertools
import json
import math

import numpy as np
import pytest
from template_network import DIGITS

from tinycnn.adapt import Change, Correction, CorrectionFile, adapt, export
from tinycnn.adapt.corrections import parse_correction
from tinycnn.adapt.folds import CrossValidation, Round
from tinycnn.data import Dataset, load_dataset
from tinycnn.data.provenance import sample_of
from tinycnn.errors import DataError, EnvironmentFault, ImageError, RunError
from tinycnn.ink import Recognizer, read_drawings, strokes_to_image
from tinycnn.nn import SGD, Conv2D, Dense, Flatten, Sequential, SoftmaxCrossEntropy, build
from tinycnn.nn.fit import train_step

pytestmark = pytest.mark.usefixtures("one_thread")


def correction(digit="7", label=None, **more):
    return Correction(DIGITS[digit], label or digit, **more)


def test_what_is_kept_comes_back(tmp_path):
    file = CorrectionFile(tmp_path / "new folder" / "drawings.jsonl")
    assert file.read() == ([], None)
    first, second = correction("7", answer="1", pen=12.5), correction("4")
    file.add(first)
    file.add(second)
    (one, two), fault = file.read()
    assert fault is None
    assert (one.line(), two.line()) == (first.line(), second.line())
    assert (one.label, one.answer, one.pen) == ("7", "1", 12.5)
    assert [drawing.label for drawing in read_drawings(file.path.read_bytes())] == ["7", "4"]
    np.testing.assert_allclose(one.strokes[0], DIGITS["7"][0], atol=0.005)
    np.testing.assert_array_equal(correction("4").image(), strokes_to_image(DIGITS["4"]))


def test_a_line_of_another_program_needs_only_strokes_and_a_label():
    line = json.dumps({"strokes": [[[0, 0], [5, 9]]], "label": 7}).encode()
    assert parse_correction(line).label == "7"
    with pytest.raises(ImageError, match="no label"):
        parse_correction(b'{"strokes": [[[0, 0]]]}')


def test_the_newest_of_equal_lines_is_forgotten(tmp_path):
    file = CorrectionFile(tmp_path / "c.jsonl")
    for one in (correction("7"), correction("4"), correction("7")):
        CorrectionFile(file.path).add(one)  # as another window would
    file.remove(correction("7"))
    file.remove(correction("7", label="1"))
    assert [c.label for c in file.read()[0]] == ["7", "4"]


def test_damage_is_one_sentence_and_costs_nothing(tmp_path):
    file = CorrectionFile(tmp_path / "c.jsonl")
    file.add(correction("7"))
    damaged = file.path.read_bytes() + b'{"strokes": [[\n\xff\xfe\n' + correction("4").line()[:-1]
    file.path.write_bytes(damaged)
    corrections, fault = file.read()
    assert [c.label for c in corrections] == ["7", "4"]
    assert fault == f"{file.path}: 2 of 4 lines cannot be read and are left alone"
    file.add(correction("1"))
    file.remove(correction("4"))
    assert b'{"strokes": [[\n\xff\xfe\n' in file.path.read_bytes()
    assert [c.label for c in file.read()[0]] == ["7", "1"]
    assert CorrectionFile(tmp_path).read()[1].endswith("; move the file away")  # it is a folder


@pytest.mark.parametrize(
    ("n", "mended", "spoiled", "chance", "verdict"),
    [
        (19, 19, 0, 2 / 2**19, "too few to tell"),
        (20, 5, 0, 2 / 32, "no clear change"),
        (20, 0, 6, 2 / 64, "worse"),
        (500, 8, 1, 2 * 10 / 512, "better"),
        (500, 3, 3, 1, "no clear change"),
    ],
)
def test_what_a_coin_could_do_is_no_change(n, mended, spoiled, chance, verdict):
    done = Change(n, spoiled, mended, neither=n // 4)
    assert math.isclose(done.p_value, chance)
    assert done.verdict == verdict


def results_of(losses, predictions, misread):
    rounds = [Round(*map(np.array, z), []) for z in zip(losses, predictions, misread, strict=True)]
    return CrossValidation(np.array([0, 0, 1]), 1000, rounds)


def test_each_fold_is_evaluated_after_the_round_that_is_best_for_the_others():
    losses = [[3, 3, 3], [1, 1, 4], [2, 2, 1]]
    results = results_of(losses, [[9] * 3, [1] * 3, [2] * 3], [0, 0, 0])
    before, after = results.predictions()
    assert before.tolist() == [9, 9, 9]
    assert after.tolist() == [2, 2, 1]  # fold 0 by fold 1's losses 3 4 1, fold 1 by 6 2 4
    assert results.best_round() == 2  # 9 6 5


def test_a_round_that_forgot_too_much_is_not_chosen():
    losses = [[3, 3, 3], [2, 2, 2], [1, 1, 1]]
    # Of 1000, 5 may be forgotten; of 100 mistakes, 9.5 more could be chance.
    for misread, best in (([4, 9, 9], 2), ([4, 9, 10], 1), ([4, 10, 10], 0), ([100, 109, 110], 1)):
        assert results_of(losses, losses, misread).best_round() == best


@pytest.fixture(scope="module")
def digits():
    """Some of the bundled digits."""
    whole = load_dataset()
    train, test = (z[:2400] for z in whole.part("train")), (z[:300] for z in whole.part("test"))
    return Dataset("some", *train, *test, whole.class_names)


@pytest.fixture(scope="module")
def base(digits):
    """A network that has learned them a little."""
    text = "Conv2D(8, 5) BatchNorm ReLU MaxPool2D(3) Flatten Dense(32) ReLU Dense(10)"
    network, loss = build(text, (28, 28, 1), seed=1), SoftmaxCrossEntropy()
    optimizer = SGD(network, lr=0.03)
    for start in [*range(0, 2400, 40)] * 3:
        batch = slice(start, start + 40)
        images, labels = digits.train_images[batch], digits.train_labels[batch]
        train_step(network, loss, optimizer, images, labels)
    return network


def odd_writer(count, label="7"):
    """A person who writes 7 upside down, each a little different."""
    rng = np.random.default_rng(0)
    lines = [[rng.normal(0, 2, z.shape) - z for z in DIGITS["7"]] for _ in range(count)]
    return [Correction(strokes, label) for strokes in lines]


def test_odd_handwriting_is_learned_and_the_rest_is_not_forgotten(base, digits):
    before = {name: z.tobytes() for name, z in base.arrays().items()}
    odd = [*odd_writer(24), *odd_writer(3, label="x")]  # a class that the network does not have
    done = adapt(base, odd, digits, seconds=60)
    assert (done.drawings.n, done.digits.n, done.digits_known) == (24, 300, None)
    assert done.drawings.right_after - done.drawings.right_before >= 8
    assert done.drawings.verdict == "better"
    assert done.digits.right_after >= done.digits.right_before - 9
    assert done.in_time
    assert {name: z.tobytes() for name, z in base.arrays().items()} == before
    now = {name: z.tobytes() for name, z in done.model.arrays().items()}
    assert {name for name in now if now[name] != before[name]} == {"7.w", "7.b"}


def test_equal_seeds_give_equal_bytes(base, digits):
    done = [adapt(base, odd_writer(10), digits, seed=seed, seconds=60) for seed in (3, 3, 4)]
    one, same, other = ([z.tobytes() for z in z.model.arrays().values()] for z in done)
    assert one == same != other


def test_when_time_is_up_the_best_so_far_is_given(base, digits, monkeypatch):
    monkeypatch.setattr("tinycnn.adapt.folds.monotonic", itertools.count(0, 0.5).__next__)
    done = adapt(base, odd_writer(10), digits, seconds=2)
    assert not done.in_time
    assert done.rounds <= 4


def test_too_little_to_learn_from_is_refused(base, digits):
    with pytest.raises(RunError, match="5 corrected digits are the least to learn from, not 4"):
        adapt(base, [*odd_writer(4), *odd_writer(1, label="x")], digits)


def test_a_network_of_other_classes_has_nothing_to_practice_on(digits):
    network = Sequential([Flatten(), Dense(2)], (28, 28, 1))
    network.description = {"classes": ["7", "coat"]}
    done = adapt(network, odd_writer(6), digits, seconds=60)
    assert done.digits.n == np.sum(digits.test_labels == 7)
    network.description = {"classes": ["shirt", "coat"]}
    with pytest.raises(RunError, match="reads no class of some"):
        adapt(network, odd_writer(6, label="coat"), digits)


@pytest.mark.parametrize(
    ("layers", "shape"),
    [
        ([Dense(10)], (784,)),
        ([Flatten(), Dense(10)], (14, 12, 1)),
        ([Conv2D(10, 28), Flatten()], (28, 28, 1)),
    ],
)
def test_every_shape_of_network_can_be_adapted(layers, shape, digits):
    done = adapt(Sequential(layers, shape), odd_writer(6), digits, seconds=60)
    assert Recognizer.of(done.model)(odd_writer(1)[0].image()[None]).probabilities.shape == (1, 10)


@pytest.mark.parametrize("seen", [True, False])
def test_an_adapted_network_is_calibrated_anew(base, digits, seen, tmp_path, monkeypatch):
    monkeypatch.setattr("tinycnn.train.calibration.NON_DIGITS", 100)
    old = {"temperature": 4.5, "threshold": -50.0}
    known = digits.test_images if seen else digits.train_images
    about = {"training": {"sample": sample_of(known)}, "calibration": old}
    monkeypatch.setattr(base, "description", about)
    done = adapt(base, odd_writer(24), digits, seconds=60)
    assert done.digits_known == seen
    assert base.description["calibration"] == {"temperature": 4.5, "threshold": -50.0}
    done.model.save(tmp_path / "w")
    description = Sequential.load(tmp_path / "w").description
    new = description["calibration"]
    assert description["adapted"]["corrections"] == 24
    assert set(new) == ({"threshold"} if seen else {"temperature", "threshold"})
    assert new["threshold"] > -50
    assert new.get("temperature", 1) < 4


def test_exported_corrections_are_a_data_set_and_a_stroke_file(tmp_path):
    corrections = [correction(d) for d in DIGITS] + [correction("7", label="x")]
    assert export(corrections, [str(k) for k in range(10)], tmp_path / "mine") == 10
    mine = load_dataset(data_dir=tmp_path / "mine")
    assert mine.train_labels.tolist() == [0, 1, 2, 3, 5, 6, 7, 8]
    assert mine.test_labels.tolist() == [4, 9]
    np.testing.assert_array_equal(mine.test_images[0], strokes_to_image(DIGITS["4"]))
    labels = [d.label for d in read_drawings((tmp_path / "mine" / "drawings.jsonl").read_bytes())]
    assert labels == [*DIGITS, "x"]


def test_nothing_to_export_is_one_sentence(tmp_path):
    with pytest.raises(DataError, match="takes 5 corrected digits, not 1"):
        export([correction("7")], ["7"], tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(EnvironmentFault, match="cannot write"):
        export([correction("7")] * 5, ["7"], tmp_path / "file")
