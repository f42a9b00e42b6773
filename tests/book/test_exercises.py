"""The exercises of the book: right answers pass, blanks and well-known mistakes do not."""

import importlib
import math
import os
import re
import subprocess
import sys
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import exercise_answers
import numpy as np
import pytest

from tinycnn.nn import reference

ROOT = Path(__file__).parents[2]
EXERCISES = ROOT / "docs" / "exercises"
FILES = {int(path.name[2:4]): path.stem for path in sorted(EXERCISES.glob("ch[0-9]*.py"))}
HALF_DONE = {13}  # nothing is blank there: the reader begins with what is right, and slow


@pytest.fixture(scope="module", autouse=True)
def on_the_path():
    before = sys.path[:]
    sys.path[:0] = [str(EXERCISES), str(ROOT)]
    yield
    sys.path[:] = before


def checks_of(chapter):
    return importlib.import_module("check").checks_of(chapter)


def judge(chapter, answers):
    return importlib.import_module("checking").judge(answers, checks_of(chapter))


def answers_with(chapter, name, function):
    """The right answers of a chapter but for one."""
    right = exercise_answers.CHAPTERS[chapter]
    chosen = {n: getattr(right, n) for n in checks_of(chapter)}
    return SimpleNamespace(**chosen | {name: function})


def test_every_chapter_has_exercises_checks_and_answers():
    pages = {int(path.name[:2]) for path in (ROOT / "docs/book").glob("[0-9]*.md")}
    assert set(FILES) == set(exercise_answers.CHAPTERS) == pages == set(range(1, 14))


@pytest.mark.parametrize("chapter", FILES)
def test_every_function_of_an_exercise_has_a_check(chapter):
    blank = importlib.import_module(FILES[chapter])
    public = {n for n, f in vars(blank).items() if callable(f) and not n.startswith("_")}
    assert set(checks_of(chapter)) <= public
    if chapter not in HALF_DONE:
        file = (EXERCISES / f"{FILES[chapter]}.py").read_text()
        assert set(checks_of(chapter)) == set(re.findall(r"^def (\w+)", file, re.MULTILINE))


@pytest.fixture
def times_faster(monkeypatch):
    """Sets how many times as fast a kernel of chapter 13 must be: clocks decide no test."""
    return partial(monkeypatch.setattr, importlib.import_module("checks.ch13"), "ENOUGH")


@pytest.mark.parametrize("chapter", FILES)
def test_right_answers_pass(chapter, times_faster):
    times_faster(0.0)
    for verdict in judge(chapter, exercise_answers.CHAPTERS[chapter]):
        assert verdict.word == "right", str(verdict)


def skip_if_begun(chapter, blank, count):
    """Skip in the copy of a reader who works through the book."""
    if (EXERCISES / f"{FILES[chapter]}.py").read_text().count(blank) != count:
        pytest.skip("a reader has begun with this chapter")


@pytest.mark.parametrize("chapter", sorted(FILES.keys() - HALF_DONE))
def test_blanks_are_not_written_yet(chapter):
    skip_if_begun(chapter, "raise NotWritten", len(checks_of(chapter)))
    verdicts = judge(chapter, importlib.import_module(FILES[chapter]))
    assert {verdict.word for verdict in verdicts} == {"not written yet"}


def test_a_kernel_may_be_right_but_not_fast_yet(times_faster):
    times_faster(math.inf)
    skip_if_begun(13, "total += x[n, i + u, j + v, c] * w[f, u, v, c]", 1)
    conv2d, sgd_update = judge(13, importlib.import_module(FILES[13]))
    assert conv2d.word == sgd_update.word == "wrong"
    assert "right, but not fast yet" in conv2d.detail
    assert "plain momentum" in sgd_update.detail


@pytest.mark.parametrize("chapter", sorted(FILES.keys() - HALF_DONE))
@pytest.mark.parametrize("nothing", [None, ..., 0.0, "text"], ids=["None", "...", "0", "text"])
def test_nothing_is_no_answer(chapter, nothing):
    idle = SimpleNamespace(**dict.fromkeys(checks_of(chapter), lambda *_, **__: nothing))
    assert {verdict.word for verdict in judge(chapter, idle)} == {"wrong"}


# -------------------------------------------------------------------- what readers get wrong

RIGHT = exercise_answers.CHAPTERS


def turned_conv2d(x, w, b):
    return RIGHT[4].conv2d(x, w[::-1, ::-1], b)


def unturned_dx(dy, w):
    return RIGHT[4].conv2d_backward_input(dy, w[::-1, ::-1])


def overwriting_dx(dy, w):
    dx = np.zeros((dy.shape[0] + w.shape[0] - 1, dy.shape[1] + w.shape[1] - 1))
    for i, j in np.ndindex(dy.shape):
        dx[i : i + w.shape[0], j : j + w.shape[1]] = dy[i, j] * w
    return dx


def leaking_network(dy, x, w1, h, w2):
    dz = dy @ w2.T
    return x.T @ dz, dz.sum(axis=0), h.T @ dy, dy.sum(axis=0), dz @ w1.T


def last_of_equals(x):
    places = np.stack([x[u::2, v::2] for u, v in np.ndindex(2, 2)])
    return places.max(axis=0), 3 - places[::-1].argmax(axis=0)


def bias_at_every_place(x, w, b):
    return RIGHT[4].conv2d_of_many(x, w, w[0, ..., 0].size * b)


def fours_of_a_row(x):
    places = x.reshape(len(x) // 2, -1, 4)
    return places.max(axis=2), places.argmax(axis=2)


def constant_statistics(dy, x, w, epsilon):
    _, dw, db = RIGHT[8].batchnorm_backward(dy, x, w, epsilon)
    return dy * w / np.sqrt(x.var(axis=0) + epsilon), dw, db


def mean_pool_backward(dy, winner):
    return dy.repeat(2, axis=0).repeat(2, axis=1) / 4


def naive_softmax(logits):
    return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)


def naive_cross_entropy(logits, labels):
    p = RIGHT[6].softmax(logits)
    return -np.log(p[np.arange(len(labels)), labels]).mean()


def forgetful_sgd(z, dz, velocity, learning_rate, momentum):
    z += momentum * velocity - learning_rate * dz


def adam_without_corrections(z, dz, mean, square, step, learning_rate):
    mean[...] = 0.9 * mean + 0.1 * dz
    square[...] = 0.999 * square + 0.001 * dz**2
    z -= learning_rate * mean / (np.sqrt(square) + 1e-8)


def one_sided(f, z):
    nudges = 1e-5 * np.eye(z.size).reshape(z.size, *z.shape)
    return np.array([(f(z + nudge) - f(z)) / 1e-5 for nudge in nudges]).reshape(z.shape)


def moved_from_13_5(image):
    ink = image / 1.0
    return tuple(round(13.5 - ink.sum(axis=a) @ np.arange(28) / ink.sum()) for a in (1, 0))


def without_the_pen(lines):
    points = np.concatenate(lines)
    return [(z - points.min(axis=0)) * 20 / np.ptp(points, axis=0).max() + 4 for z in lines]


def without_pen_and_shape(lines):
    points = np.concatenate(lines)
    return [(z - points.min(axis=0)) * 20 / np.ptp(points, axis=0) + 4 for z in lines]


def overwrite(path, payload):
    with open(path, "wb") as file:
        file.write(payload)
        file.flush()
        os.fsync(file.fileno())


def rename_and_leave(path, payload):
    beside = path.with_name("beside")
    with open(beside, "wb") as file:
        file.write(payload)
        os.fsync(file.fileno())
    os.replace(beside, path)


def in_order_of_arrival(values, pieces, order):
    total, N = np.float32(0), len(values)
    for p in order:
        total += values[p * N // pieces : (p + 1) * N // pieces].sum()
    return total


def looking_at_the_dead(dy, winner, x, kernel_size):
    return RIGHT[12].dw_of_the_living(np.where(winner == 4, 0 * dy, dy), winner * 0, x, kernel_size)


MISTAKES = [
    (1, "shape_of", lambda h: tuple(h[7 + 4 * k] for k in range(h[3])), "one byte of each"),
    (1, "mean_image", lambda z: z.sum(axis=0, dtype=np.uint8) / len(z), "begin again at 0"),
    (1, "mean_image", lambda z: z.mean(axis=0) / 255, "keep 0 to 255"),
    (2, "neuron", lambda x, w, b: x @ w, "the bias is missing"),
    (2, "neuron_backward", lambda dy, x, w: (x.sum(axis=0), dy.sum(), dy[:, None] * w), "dy is"),
    (2, "neuron_backward", lambda dy, x, w: (dy @ x / len(x), dy.sum(), dy[:, None] * w), "mean"),
    (2, "neuron_backward", lambda dy, x, w: (dy @ x, dy, dy[:, None] * w), "sum dy over n"),
    (3, "relu_backward", lambda dy, y: np.maximum(dy, 0), "below zero"),
    (3, "network_backward", leaking_network, "the ReLU is missing"),
    (4, "conv2d", turned_conv2d, "you turned the filter"),
    (4, "conv2d", lambda x, w, b: RIGHT[4].conv2d(x, w, 0.0), "the bias is missing"),
    (4, "conv2d_backward_input", unturned_dx, "filter not turned round"),
    (4, "conv2d_backward_input", overwriting_dx, "do not assign"),
    (4, "conv2d_of_many", lambda x, w, b: RIGHT[4].conv2d_of_many(x, w, 0 * b), "bias is missing"),
    (4, "conv2d_of_many", bias_at_every_place, "once for each place"),
    (5, "maxpool2d", last_of_equals, "the first one wins"),
    (5, "maxpool2d", fours_of_a_row, "x.reshape(H // 2, 2, W // 2, 2)"),
    (5, "maxpool2d_backward", mean_pool_backward, "gradient of a mean"),
    (5, "living", lambda y, winner: np.where(y < 0, 4, winner), "exactly 0"),
    (6, "softmax", naive_softmax, "maximum off first"),
    (6, "cross_entropy", naive_cross_entropy, "no p needed"),
    (6, "cross_entropy_backward", lambda p, labels: p - np.eye(p.shape[1])[labels], "divide by N"),
    (7, "sgd_update", forgetful_sgd, "not changed in place"),
    (7, "sgd_update", lambda z, dz, *_: z - dz, "changes z"),
    (7, "adam_update", adam_without_corrections, "corrections are missing"),
    (7, "one_cycle", lambda share: share / 0.2, "begins at a tenth"),
    (8, "dropout", lambda x, draw, rate: np.where(draw < rate, 0, x), "scale up"),
    (8, "move_average", lambda a, w, decay: None, "in place"),
    (8, "batchnorm_backward", constant_statistics, "for constants"),
    (9, "numerical_gradient", one_sided, "nudge both ways"),
    (9, "suspects", lambda cases: set(cases), "is right"),
    (9, "suspects", lambda cases: set(), "let it pass"),
    (10, "offset_to_center", moved_from_13_5, "not 13.5"),
    (10, "fit", without_the_pen, "half its width"),
    (10, "fit", without_pen_and_shape, "two things"),
    (11, "save", overwrite, "you wrote to the file itself"),
    (11, "save", lambda path, payload: path.write_bytes(payload) and None, "the file itself"),
    (11, "save", rename_and_leave, "is left in the folder"),
    (11, "order_of_epoch", lambda s, e, n: np.random.default_rng().permutation(n), "differently"),
    (11, "order_of_epoch", lambda s, e, n: np.random.default_rng(s).permutation(n), "next epoch"),
    (11, "order_of_epoch", lambda s, e, n: np.random.default_rng(s + e).permutation(n), "add them"),
    (12, "dw_of_the_living", looking_at_the_dead, "where no winner is alive"),
    (12, "sum_in_pieces", in_order_of_arrival, "another order"),
    (13, "sgd_update", reference.sgd_update, "plain momentum"),
    (13, "conv2d", lambda x, w, b: RIGHT[13].conv2d(x, w, 0 * b), "the bias is missing"),
]


@pytest.mark.parametrize(("chapter", "name", "answer", "hint"), MISTAKES)
def test_a_well_known_mistake_is_named(chapter, name, answer, hint):
    verdicts = {v.name: v for v in judge(chapter, answers_with(chapter, name, answer))}
    assert verdicts[name].word == "wrong"
    assert hint in verdicts[name].detail


def test_an_error_in_an_answer_is_told_and_ends_nothing():
    first, second = judge(2, answers_with(2, "neuron", lambda x, w, b: x * w[1:]))
    assert first.word == "wrong"
    assert "ValueError" in first.detail
    assert second.word == "right"


# ---------------------------------------------------------------------------------- the command


def check(*arguments):
    return subprocess.run(
        [sys.executable, str(EXERCISES / "check.py"), *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )


def test_the_command_says_what_is_not_written_yet():
    skip_if_begun(3, "raise NotWritten", 2)
    done = check("3")
    assert done.returncode == 1
    assert "not written yet  network_backward" in done.stdout
    assert done.stdout.endswith("0 of 2 right\n")


@pytest.mark.parametrize("nonsense", ["0", "14", "four"])
def test_the_command_knows_its_chapters(nonsense):
    done = check(nonsense)
    assert (done.returncode, done.stdout) == (2, "")
    assert "1 to 13" in done.stderr
