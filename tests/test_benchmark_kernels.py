"""The benchmark of the kernels: what it checks, what it switches off, what it counts.

No test here depends on how long anything takes.
"""

import contextlib
import io
import json
import subprocess
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from numba.core import config
from rich.console import Console

from benchmarks import (
    arithmetic,
    ideas,
    kernel_report,
    kernel_tables,
    kernels,
    lines,
    naive_kernels,
    operations,
    points,
    stages,
    starting,
)
from benchmarks.operations import POOLED, Call, Training, check, difference
from benchmarks.recipe import NETWORKS, dense_flops
from benchmarks.timing import Comparison, compare
from tinycnn import kernels as ops
from tinycnn.errors import TinyCNNError
from tinycnn.kernels import conv, winograd
from tinycnn.kernels.simd import LANES
from tinycnn.nn import get_threads, set_threads
from tinycnn.timing import Version, interleave

BATCH = 16

compiled = pytest.mark.skipif(
    bool(config.DISABLE_JIT), reason="lenet takes minutes without compilation"
)


@pytest.fixture(scope="module")
def training():
    return Training(steps=3, batch=BATCH)


@pytest.fixture(scope="module")
def calls(training):
    return operations.recorded_calls(training)


def chosen(calls, name, number=0):
    return [call for call in calls if call.name == name][number]


# ----------------------------------------------------------------------------------- checking


@compiled
def test_all_operations_of_a_training_step_are_recorded_fused_and_not(calls):
    names = {call.name for call in calls}
    assert names >= {
        "conv2d", "conv2d_backward_params", "conv2d_backward_input", "maxpool2d",
        "maxpool2d_backward", POOLED, f"{POOLED}_backward_params", f"{POOLED}_backward_input",
        "relu", "relu_backward", "dense", "dense_backward_params", "dense_backward_input",
        "softmax_cross_entropy", "softmax_cross_entropy_backward", "sgd_update",
    }  # fmt: skip
    assert sum(call.name == POOLED for call in calls) == 2


@compiled
def test_operations_of_one_step_add_up_to_what_the_network_costs(training):
    calls = []
    with operations._recording(calls):
        training.step()
    whole = dense_flops(NETWORKS["lenet"])[1] * BATCH
    assert sum(call.dense_flops for call in calls) == whole


@compiled
def test_kernels_pass_the_check(calls):
    assert 0 < check(calls) <= operations.TOLERANCE


@compiled
def test_a_kernel_that_is_slightly_wrong_is_found_and_named(calls, monkeypatch):
    right = ops.dense_backward_input
    monkeypatch.setattr(ops, "dense_backward_input", lambda dy, w: right(dy, w) * 1.0001)
    with pytest.raises(TinyCNNError, match=r"dense_backward_input \(128 to 10\)"):
        check(calls)


@compiled
def test_a_kernel_that_gives_nan_is_found(calls, monkeypatch):
    monkeypatch.setattr(ops, "relu", lambda x: x * np.float32("nan"))
    with pytest.raises(TinyCNNError, match="relu"):
        check(calls)


@compiled
def test_a_winner_that_did_not_win_is_found(calls, monkeypatch):
    right = ops.conv2d_relu_maxpool2d

    def wrong(**given):
        y, winner = right(**given)
        largest = np.unravel_index(y.argmax(), y.shape)
        winner[largest] = (winner[largest] + 1) % 4
        return y, winner

    call = chosen(calls, POOLED)
    assert difference(call) <= operations.TOLERANCE
    monkeypatch.setattr(ops, POOLED, wrong)
    assert difference(call) > operations.TOLERANCE


def test_either_of_two_equal_numbers_may_win(monkeypatch):
    given = {
        "x": np.ones((1, 2, 2, 1), np.float32),
        "w": np.ones((1, 1, 1, 1), np.float32),
        "b": np.zeros(1, np.float32),
        "size": 2,
    }
    for place in range(4):
        answer = np.ones((1, 1, 1, 1), np.float32), np.full((1, 1, 1, 1), place, np.uint8)
        monkeypatch.setattr(ops, POOLED, lambda answer=answer, **given: answer)
        assert difference(Call(POOLED, given)) == 0


def test_operations_that_write_into_their_arguments_are_checked_on_copies():
    rng = np.random.default_rng(0)
    given = {key: rng.standard_normal(50).astype(np.float32) for key in ("z", "dz", "velocity")}
    before = {key: z.copy() for key, z in given.items()}
    rates = {"learning_rate": 0.1, "momentum": 0.9, "weight_decay": 0.01}
    assert 0 < difference(Call("sgd_update", given | rates)) < 1e-6
    for key, z in given.items():
        np.testing.assert_array_equal(z, before[key])


# -------------------------------------------------------------------------------------- ideas


def test_plain_loops_give_what_the_reference_gives():
    rng = np.random.default_rng(1)
    x, w, b = rng.standard_normal((2, 6, 5, 3)), rng.standard_normal((4, 3, 2, 3)), np.arange(4.0)
    expected = operations.reference.conv2d(x, w, b)
    np.testing.assert_allclose(naive_kernels.conv2d(x, w, b), expected, atol=1e-12)


@compiled
@pytest.mark.parametrize("number", [0, 1])
def test_every_way_forward_gives_the_same(calls, number):
    call = chosen(calls, POOLED, number)
    expected, _ = call.kernel()
    for name, version in ideas.forward(call).items():
        with version.setting():
            y, _ = version.work()
        np.testing.assert_allclose(y, expected, atol=1e-4, err_msg=name)


@compiled
def test_a_step_without_one_idea_gives_the_same_gradients(training):
    model, loss = training.model, training.trainer.loss
    images, labels = training.digits[:32], np.arange(32) % 10

    def gradients():
        loss.forward(model.forward(model.prepare(images), training=True), labels)
        model.backward(loss.backward())
        return [z for layer in model for z in layer.grads.values()]

    expected = gradients()
    for name, version in ideas.whole_step(training).items():
        with version.setting():
            found = gradients()
        for z, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(z, other, atol=2e-6, err_msg=name)


def test_settings_end_with_the_turn():
    before = winograd.pays, conv.visiting_all_pays, get_threads()
    with ideas.NO_WINOGRAD(), ideas.VISIT_LIVING_ONLY(), ideas.ONE_THREAD():
        assert not winograd.pays((64, 5, 5, 32), 2)
        assert not conv.visiting_all_pays(1)
        assert get_threads() == 1
    assert (winograd.pays, conv.visiting_all_pays, get_threads()) == before


def test_gradients_are_grouped_by_their_convolution():
    first, second = np.zeros(1), np.zeros(1)
    names = ("params", second), ("input", second), ("params", first)
    calls = [Call(f"{POOLED}_backward_{kind}", {"dy": dy}) for kind, dy in names]
    assert ideas._by_stage(calls) == [calls[2:], calls[:2]]


def test_masked_and_whole_vectors_add_the_same():
    a, b, x = np.zeros(LANES), np.zeros(LANES), np.arange(float(LANES))
    naive_kernels.add_whole(a, np.zeros(5, np.intp), x)
    naive_kernels.add_masked(b, np.zeros(5, np.intp), x, np.intp(LANES))
    np.testing.assert_array_equal(a, 5 * x)
    np.testing.assert_array_equal(b, 5 * x)


@compiled
def test_other_points_are_tried_and_forgotten_again():
    before = [m.copy() for m in winograd.matrices(5, 4)]
    good, bad = (points.error(row.split(), 4) for row in (points.SETS[1], points.SETS[3]))
    assert 0 < good < operations.TOLERANCE < bad
    for matrix, other in zip(winograd.matrices(5, 4), before, strict=True):
        np.testing.assert_array_equal(matrix, other)


# -------------------------------------------------------------------------- turns and tables


def test_versions_take_turns_and_another_one_begins_every_round(monkeypatch):
    log = []

    @contextlib.contextmanager
    def setting(name):
        log.append(name)
        yield
        log.append(f"end of {name}")

    monkeypatch.setattr("tinycnn.timing._repeats", lambda version: 2)
    versions = {
        name: Version(partial(log.append, f"{name} works"), partial(setting, name)) for name in "ab"
    }
    seconds = interleave(versions, rounds=2)
    turns = {name: [name, *3 * [f"{name} works"], f"end of {name}"] for name in "ab"}
    assert log == turns["a"] + turns["b"] + turns["b"] + turns["a"]
    assert all(len(values) == 2 for values in seconds.values())


def test_times_are_told_per_image(monkeypatch):
    monkeypatch.setattr("tinycnn.timing._turn", lambda version, repeats: 0.001)
    found = compare("title", {"only": Version(int)}, rounds=3, images=100)
    assert found == Comparison("title", "µs an image", {"only": pytest.approx([10.0] * 3)})


def test_ratios_compare_turns_of_the_same_round():
    found = Comparison("", "s", {"base": [1.0, 10.0, 2.0], "other": [3.0, 20.0, 10.0]})
    assert found.medians() == {"base": 2.0, "other": 10.0}
    assert found.ratios() == {"base": 1.0, "other": 3.0}


def test_rates_are_those_of_the_dense_sums():
    times = Comparison("", "µs an image", {"kernel": [2.0, 1.0, 3.0], "NumPy": [4.0, 4.0, 4.0]})
    timing = operations.Timing("conv2d", "", 6_000_000, times)
    assert timing.gflops("kernel") == pytest.approx(3000)  # 6 MFLOP in 2 µs
    assert timing.times.ratios()["NumPy"] == pytest.approx(2)


def test_the_dense_bound_is_the_peak_over_the_cost_of_an_image():
    console = Console(record=True, width=100, file=io.StringIO())
    kernel_tables.print_peaks(console, {"slow": [1.0], "fast": [100.0, 223.0, 50.0]})
    text = console.export_text()
    assert "22.3 MFLOP" in text
    assert "at best 100.0 µs" in text
    assert "10,001 images/s" in text  # 223 G / 22,298,112


def test_chains_do_what_their_count_of_operations_says():
    numbers = np.random.default_rng(0).random(8 * LANES) / 2
    y = numbers.reshape(8, LANES).copy()
    for _ in range(3):
        y = y * numbers[:LANES] + numbers[:LANES]
    arithmetic.eight_chains(numbers, 3)
    np.testing.assert_allclose(numbers[LANES : 2 * LANES], y.sum(axis=0))
    assert arithmetic.flops(3) == 3 * 2 * y.size


@pytest.mark.parametrize(
    ("ratio", "words"),
    [
        (1.0, ""),
        (2.5, "2.50 times slower"),
        (0.5, "2.00 times faster"),
        (0.02, "50.0 times faster"),
    ],
)
def test_ratios_are_told_in_words(ratio, words):
    assert kernel_tables.in_words(ratio) == words


def test_digits_suit_the_size_of_a_figure():
    assert kernel_tables.spread([1234.5, 1000.0, 2000.0]) == "1,234 (1,000–2,000)"
    assert kernel_tables.spread([1.234]) == "1.23 (1.23–1.23)"


def test_stages_add_up_to_the_whole_step(monkeypatch):
    found = stages.Breakdown({1: {("conv", "forward"): [1.0, 3.0], ("rest", ""): [0.5, 0.5]}})
    console = Console(record=True, width=100, file=io.StringIO())
    kernel_tables.print_stages(console, found)
    assert "2.50" in console.export_text().splitlines()[-2]


@compiled
def test_the_parts_of_a_step_are_those_of_the_stages(training):
    found = stages.break_down(training, rounds=2, counts=[1]).samples[1]
    rows = stages.names(training.model)
    parts = set(stages.PARTS.values())
    assert {part for row, part in found if row == rows[1]} == parts
    assert all(len(values) == 2 and min(values) >= 0 for values in found.values())
    assert training.model.stages[0].__dict__.keys().isdisjoint(stages.PARTS)  # no watch is left


# ------------------------------------------------------------------------- processes, command


def test_every_cold_start_has_empty_caches_and_only_one_start_has_full_ones(monkeypatch):
    seen = []

    def start(caches, *options):
        folder = Path(caches["NUMBA_CACHE_DIR"])
        seen.append((any(folder.iterdir()), options))
        (folder / "compiled").touch()
        return float(len(seen))

    monkeypatch.setattr(starting, "_first_step_seconds", start)
    found = starting.compare_starts(rounds=1)
    assert seen == [(False, ("--alone",)), (False, ()), (True, ())]
    assert list(found.samples.values()) == [[1.0], [2.0], [3.0]]


@compiled
@pytest.mark.parametrize("options", [[], ["--alone"]])
def test_a_process_that_is_timed_really_starts_and_trains(options):
    assert 0 < starting._first_step_seconds({}, *options) < 120


def test_neighbors_are_busy_only_meanwhile(monkeypatch):
    started = []
    real = subprocess.Popen
    monkeypatch.setattr(
        subprocess, "Popen", lambda *given: started.append(real(*given)) or started[-1]
    )
    with starting._busy_neighbors(2):
        assert [process.poll() for process in started] == [None, None]
    assert None not in [process.poll() for process in started]


@compiled
def test_command_writes_what_it_found(training, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(kernel_report, "Training", lambda: training)
    out = tmp_path / "kernels.json"
    arguments = ["--rounds", "1", "--threads", "1", "--tables", "stages", "--json", str(out)]
    before = get_threads()
    try:
        assert kernels.main([*arguments, "--charts", str(tmp_path)]) == 0
    finally:
        set_threads(before)
    found = json.loads(out.read_text())
    assert found["worst_difference"] <= operations.TOLERANCE
    assert found["checked"] > 40
    assert "checked: " in capsys.readouterr().out
    assert {part for _, part, _ in found["stages"]["1"]} == {*stages.PARTS.values(), ""}
    assert "</svg>" in (tmp_path / "kernels-stages.svg").read_text()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--rounds", "0"], "--rounds: '0' is no whole number from 1 to"),
        (["--tables", "legs"], "--tables: there is no legs; choose from"),
        (["--threads", "9999"], "--threads: '9999' is no whole number from 1 to"),
        (["--json", "/no/x"], "there is no folder /no;"),
    ],
)
def test_bad_options_are_one_sentence(arguments, complaint):
    with pytest.raises(TinyCNNError, match=complaint):
        kernels.main(arguments)


# -------------------------------------------------------------------------------------- lines

SOURCE = '''"""A module."""

# a comment
import math


@decorated
def area(r):
    """Return it.

    Really.
    """
    return (
        math.pi * r**2
    )  # the end
'''


def test_lines_of_code_are_neither_comments_nor_docstrings():
    assert lines.code_lines(SOURCE) == 6


def test_functions_are_counted_with_decorators_and_docstrings(tmp_path):
    path = tmp_path / "round.py"
    path.write_text(SOURCE)
    assert list(lines.functions(path)) == [lines.Function("round.py", "area", 9)]
