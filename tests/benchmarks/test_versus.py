"""The comparison with other frameworks, tried on contenders that need none of them."""

import json
import textwrap

import numpy as np
import pytest
from numba.core import config

from benchmarks.machine import Neighbors
from benchmarks.speed import rounds, summary, versus
from benchmarks.speed.contender import Contender
from benchmarks.speed.rounds import Plan
from benchmarks.speed.workload import Workload
from tinycnn.errors import TinyCNNError

PEER = """
    import os
    import numpy as np

    class Trainer:
        def __init__(self, network, weights, lr, skew=0.0):
            self.found, self.skew = weights, skew
        def batch(self, images, labels):
            return images, labels
        def step(self, batch):
            print("whatever a framework says")
            return batch[0].mean() / 255
        def weights(self):
            return {name: z + self.skew for name, z in self.found.items()}

    def predictor(network, weights, folder):
        return lambda images: np.tile(np.float32(0.1), (len(images), 10))

    def configure(threads):
        os.write(1, b"C libraries print, too\\n")

    def versions():
        return {"fake": "1.0"}

    TRAINERS = {"plain": Trainer, "also plain": Trainer}
    PREDICTORS = {"plain": predictor}
"""


def work():
    rng = np.random.default_rng(0)
    digits = rng.integers(0, 256, (64, 28, 28), np.uint8), np.zeros(64, np.int64)
    weights = {"lenet": {"0.w": rng.standard_normal((2, 3))}}
    return Workload(digits, digits, {"lenet": [("dense", 3)]}, weights)


@pytest.fixture
def fake_peer(tmp_path, monkeypatch):
    """Return a function that writes a contender's module and returns the running contender."""
    monkeypatch.syspath_prepend(tmp_path)

    def start(name: str, addition: str = "") -> Contender:
        (tmp_path / f"{name}_peer.py").write_text(textwrap.dedent(PEER + addition))
        return Contender(name, f"{name}_peer", 1, work(), tmp_path)

    return start


def test_every_variant_is_timed_each_round_unless_it_computes_something_else(fake_peer):
    skewed = '    TRAINERS["also plain"] = lambda *a: Trainer(*a, skew=0.01)'
    plan = Plan(batch=16, rounds=3, images=64, latency_calls=2)
    contenders = fake_peer("tinycnn"), fake_peer("torch", skewed)
    try:
        results = rounds.run(contenders, plan, Neighbors())
    finally:
        for contender in contenders:
            contender.close()
    assert [*results.failed.values()] == [
        "torch, also plain (lenet, batch 16, 1 thread): its 0.w differs from tinycnn's by 1.0e-02"
    ]
    timed = {("tinycnn", "plain"), ("tinycnn", "also plain"), ("torch", "plain")}
    assert set(results.samples["train"]) == timed
    for measure in ("inference", "latency_us", "latency_p99_us"):
        assert set(results.samples[measure]) == {("tinycnn", "plain"), ("torch", "plain")}
    for rows in results.samples.values():
        assert all(len(values) == 3 and min(values) > 0 for values in rows.values())


def test_the_best_variant_counts_and_ratios_divide_values_of_the_same_round():
    tinycnn, torch, ort = ("tinycnn", "fused"), ("torch", "eager"), ("onnxruntime", "spinning")
    train = {tinycnn: [30.0, 40.0, 50.0], torch: [10.0, 20.0, 5.0], ("torch", "other"): [9.0] * 3}
    train["tinycnn", "other"] = [99.0] * 3
    latency = {tinycnn: [10.0, 20.0, 30.0], ort: [20.0, 10.0, 30.0]}
    latency["onnxruntime", "sleeping"] = [40.0] * 3
    samples = {"train": train, "latency_us": latency}
    results = rounds.Results(Plan(), samples, dict.fromkeys(train, 0.5))
    assert summary.medians(results, "train") == {"tinycnn": 40.0, "torch": 10.0}
    assert summary.medians(results, "latency_us") == {"tinycnn": 20.0, "onnxruntime": 20.0}
    assert summary.ratios(results) == {
        "train_vs_torch": {"median": 3.0, "min": 2.0, "max": 10.0},
        "latency_vs_onnxruntime": {"median": 1.0, "min": 0.5, "max": 2.0},
    }


@pytest.mark.skipif(config.DISABLE_JIT, reason="thousands of images in plain Python")
def test_tinycnn_alone_gives_a_table_and_the_promised_json(tmp_path, capsys):
    out = tmp_path / "versus.json"
    alone = ["--quick", "--contenders", "tinycnn", "--threads", "1", "--patience", "0"]
    races = ["--to-accuracy", "50", "--seeds", "2"]
    assert versus.main([*alone, *races, "--json", str(out), "--charts", str(tmp_path)]) == 0
    found = json.loads(out.read_text())
    assert set(found["train"]) == set(found["inference"]) == set(found["latency_us"]) == {"tinycnn"}
    assert found["train"]["tinycnn"] > 0
    assert found["ratio"] == {}
    raced = {(race["network"], race["seed"]): race["curve"][-1][1] for race in found["races"]}
    assert list(raced) == [("lenet", 0), ("lenet", 1), ("sprint", 0), ("sprint", 1)]
    assert min(raced.values()) > 0.5
    assert raced["sprint", 0] != raced["sprint", 1]
    assert "training, images/s" in capsys.readouterr().out
    assert ">tinycnn</text>" in (tmp_path / "versus-speed.svg").read_text()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--rounds", "0"], "no whole number from 1"),
        (["--contenders", "tinycnn,theano"], "there is no theano"),
        (["--json", "nowhere/out.json"], "there is no folder nowhere"),
    ],
)
def test_impossible_options_are_refused_before_anything_is_measured(arguments, complaint):
    with pytest.raises(TinyCNNError, match=complaint):
        versus.main(arguments)
