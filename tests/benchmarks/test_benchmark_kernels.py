"""The benchmark of the kernels: what it checks, what it switches off, what it prints.

No test here depends on how long anything takes.
"""

import contextlib
import json
from functools import partial

import numpy as np
import pytest
from numba.core import config

from benchmarks.interleave import Version, interleave
from benchmarks.kernels import __main__ as command
from benchmarks.kernels import ideas, operations
from benchmarks.kernels.operations import POOLED, Training, check
from benchmarks.timing import TimedVersions
from tinycnn import kernels as ops
from tinycnn.errors import TinyCNNError

pytestmark = pytest.mark.usefixtures("one_thread")

compiled = pytest.mark.skipif(
    bool(config.DISABLE_JIT), reason="lenet takes minutes without compilation"
)


@pytest.fixture(scope="module")
def training():
    return Training(steps=3, batch=16)


@pytest.fixture(scope="module")
def calls(training):
    return operations.recorded_calls(training)


@compiled
def test_a_kernel_that_is_slightly_wrong_is_found_and_named(calls, monkeypatch):
    assert 0 < check(calls) <= operations.TOLERANCE
    right = ops.dense_backward_input
    monkeypatch.setattr(ops, "dense_backward_input", lambda dy, w: right(dy, w) * 1.0001)
    with pytest.raises(TinyCNNError, match=r"dense_backward_input \(128 to 10\)"):
        check(calls)


@compiled
def test_every_way_forward_gives_the_same(calls):
    stages = [call for call in calls if call.name == POOLED]
    assert len(stages) == 2
    for call in stages:
        expected, _ = call.kernel()
        for name, version in ideas.forward(call).items():
            with version.setting():
                y, _ = version.work()
            np.testing.assert_allclose(y, expected, atol=1e-4, err_msg=name)


def test_versions_alternate_and_another_one_begins_every_round(monkeypatch):
    log = []

    @contextlib.contextmanager
    def setting(name):
        log.append(name)
        yield
        log.append(f"end of {name}")

    monkeypatch.setattr("benchmarks.interleave._repeats", lambda version: 2)
    versions = {
        name: Version(partial(log.append, f"{name} works"), partial(setting, name)) for name in "ab"
    }
    seconds = interleave(versions, rounds=2)
    turns = {name: [name, *3 * [f"{name} works"], f"end of {name}"] for name in "ab"}
    assert log == turns["a"] + turns["b"] + turns["b"] + turns["a"]
    assert all(len(values) == 2 for values in seconds.values())


@compiled
def test_command_writes_what_it_found(training, tmp_path, monkeypatch, capsys):
    def quick(training, calls, rounds, tell):
        yield TimedVersions("a whole training step", "µs per image", {"one": [1.0], "other": [2.0]})

    monkeypatch.setattr(operations, "Training", lambda: training)
    monkeypatch.setattr(command, "compare_ideas", quick)
    out = tmp_path / "kernels.json"
    arguments = ["--rounds", "1", "--threads", "1", "--tables", "ideas", "--json", str(out)]
    assert command.main([*arguments, "--charts", str(tmp_path)]) == 0
    found = json.loads(out.read_text())
    assert found["worst_difference"] <= operations.TOLERANCE
    assert found["checked"] > 40
    assert found["comparisons"][0]["samples"] == {"one": [1.0], "other": [2.0]}
    assert "2.00 times slower" in capsys.readouterr().out
    assert ">other</text>" in (tmp_path / "kernels-step.svg").read_text()
