"""The comparison with other frameworks, tried on contenders that need none of them."""

import json
import textwrap
from pathlib import Path

import numpy as np
import pytest
from numba.core import config

from benchmarks import charts, machine, race, recipe, rounds, summary, versus
from benchmarks.contender import Contender, ContenderError
from benchmarks.plan import Plan

PEER = """
    import os
    import numpy as np

    class Trainer:
        def __init__(self, network, weights, lr, skew=0.0, last_words=None):
            self.found, self.skew, self.last_words = weights, skew, last_words
        def batch(self, images, labels):
            return images, labels
        def step(self, batch):
            print("whatever a framework says")
            if self.last_words:
                os.write(2, self.last_words)
                os._exit(7)
            return batch[0].mean() / 255
        def weights(self):
            return {name: z + self.skew for name, z in self.found.items()}

    def predictor(network, weights, folder):
        return lambda images: np.tile(np.float32(0.1), (len(images), 10))

    def broken(*arguments):
        raise ValueError("no compiler here\\nand more lines")

    def configure(threads):
        os.write(1, b"C libraries print, too\\n")

    def versions():
        return {"fake": "1.0"}

    TRAINERS = {"plain": Trainer, "also plain": Trainer}
    PREDICTORS = {"plain": predictor}
"""


@pytest.fixture
def fake_peer(tmp_path, monkeypatch):
    """Return what writes a peer module and gives its name; the work is laid out in tmp_path."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (64, 28, 28), np.uint8)
    recipe.save_digits(tmp_path, train_images=images, train_labels=np.zeros(64, np.int64))
    recipe.save_weights(tmp_path / "lenet.npz", {"0.w": rng.standard_normal((2, 3))})
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def write(name: str, addition: str = "") -> str:
        source = textwrap.dedent(PEER) + textwrap.dedent(addition)
        (tmp_path / f"{name}.py").write_text(source)
        return name

    return write


def run_fakes(folder: Path, modules: dict[str, str], plan: Plan) -> rounds.Results:
    contenders = [Contender(name, module, 1, folder) for name, module in modules.items()]
    try:
        return rounds.run(contenders, plan, machine.Neighbors())
    finally:
        for contender in contenders:
            contender.close()


def test_every_variant_gets_one_value_a_round(fake_peer, tmp_path):
    module = fake_peer("even_peer")
    plan = Plan(batch=16, rounds=3, images=64, latency_calls=5)
    results = run_fakes(tmp_path, {"tinycnn": module, "torch": module}, plan)
    assert results.failed == {}
    predictors = {("tinycnn", "plain"), ("torch", "plain")}
    assert {measure: set(rows) for measure, rows in results.samples.items()} == {
        "train": predictors | {("tinycnn", "also plain"), ("torch", "also plain")},
        "inference": predictors,
        "latency_us": predictors,
        "latency_p99_us": predictors,
    }
    for rows in results.samples.values():
        for values in rows.values():
            assert len(values) == 3
            assert min(values) > 0


def test_who_computes_something_else_is_not_timed(fake_peer, tmp_path):
    right = fake_peer("right_peer")
    skewed = fake_peer("skewed_peer", 'TRAINERS["plain"] = lambda *a: Trainer(*a, skew=0.01)')
    plan = Plan(batch=16, rounds=1, images=64, latency_calls=2)
    results = run_fakes(tmp_path, {"tinycnn": right, "torch": skewed}, plan)
    assert [*results.failed.values()] == [
        "torch, plain (lenet, batch 16, 1 thread): its 0.w differs from tinycnn's by 1.0e-02"
    ]
    assert set(results.samples["train"]) == {
        ("tinycnn", "plain"),
        ("tinycnn", "also plain"),
        ("torch", "also plain"),
    }


def test_a_variant_that_fails_is_left_out_with_one_line(fake_peer, tmp_path):
    module = fake_peer("frail_peer", 'PREDICTORS["compiled"] = broken')
    plan = Plan(batch=16, rounds=1, images=64, latency_calls=2)
    results = run_fakes(tmp_path, {"tinycnn": module}, plan)
    (sentence,) = results.failed.values()
    assert sentence.startswith("tinycnn, compiled (")
    assert sentence.endswith("): ValueError: no compiler here")
    assert set(results.samples["inference"]) == {("tinycnn", "plain")}


def test_a_variant_that_fails_in_the_second_round_leaves_no_trace(fake_peer, tmp_path):
    diverging = """
        class Diverging(Trainer):
            steps = 0
            def step(self, batch):
                self.steps += 1
                return super().step(batch) if self.steps < 15 else float("nan")
        TRAINERS["plain"] = Diverging
    """
    plan = Plan(batch=16, rounds=3, images=64, latency_calls=2)
    modules = {"tinycnn": fake_peer("sound_peer"), "torch": fake_peer("diverging_peer", diverging)}
    results = run_fakes(tmp_path, modules, plan)
    assert [*results.failed.values()] == [
        "torch, plain (lenet, batch 16, 1 thread): its loss became nan"
    ]
    assert [set(rows) for rows in results.samples.values()] == [
        {("tinycnn", "plain"), ("tinycnn", "also plain"), ("torch", "also plain")},
        {("tinycnn", "plain")},
        {("tinycnn", "plain")},
        {("tinycnn", "plain")},
    ]


def test_a_peer_that_is_not_installed_is_named(fake_peer, tmp_path):
    module = fake_peer("absent_peer", "import a_framework_nobody_has")
    with pytest.raises(ContenderError, match=r"^a_framework_nobody_has is not installed$"):
        Contender("torch", module, 1, tmp_path)


def test_a_peer_that_dies_is_noticed_and_its_last_words_are_told(fake_peer, tmp_path):
    dying = 'TRAINERS["plain"] = lambda *a: Trainer(*a, last_words=b"out of luck")'
    with Contender("torch", fake_peer("dying_peer", dying), 1, tmp_path) as contender:
        contender.ask("load", network="lenet", batch=16)
        with pytest.raises(
            ContenderError, match=r"ended during 'first_step' \(exit code 7: .*luck"
        ):
            contender.ask("first_step", variant="plain")


def test_all_train_on_the_same_batches_in_the_same_order(fake_peer, tmp_path):
    plan = Plan(batch=16, rounds=3, images=96, latency_calls=2)
    results = run_fakes(tmp_path, dict.fromkeys(("tinycnn", "torch"), fake_peer("peer")), plan)
    images, _ = recipe.load_digits(tmp_path, "train")
    done = 1 + 2 * (3 + plan.steps) + 3  # the check's, two rounds, and the last one's untimed
    losses = [images[16 * (n % 4) :][:16].mean() / 255 for n in range(done, done + plan.steps)]
    assert len(results.losses) == 4
    assert list(results.losses.values()) == pytest.approx([np.mean(losses)] * 4)


def test_who_learns_nothing_is_left_out_however_fast(fake_peer, tmp_path):
    dead = """
        class Dead(Trainer):
            steps = 0
            def step(self, batch):
                self.steps += 1
                return super().step(batch) if self.steps == 1 else 2.3026
        TRAINERS["plain"] = Dead
    """
    plan = Plan(batch=16, rounds=1, images=64, latency_calls=2)
    modules = {"tinycnn": fake_peer("quick_peer"), "torch": fake_peer("dead_peer", dead)}
    (sentence,) = run_fakes(tmp_path, modules, plan).failed.values()
    assert sentence.startswith("torch, plain")
    assert sentence.endswith("it learned nothing, its loss is 2.30")


def results_of(**samples: dict[tuple[str, str], list[float]]) -> rounds.Results:
    losses = dict.fromkeys(samples.get("train", {}), 0.5)
    return rounds.Results(Plan(), samples, losses)


SAMPLES = {
    "train": {
        ("tinycnn", "fused"): [30.0, 40.0, 50.0],
        ("tinycnn", "other"): [99.0, 99.0, 99.0],
        ("torch", "eager"): [10.0, 20.0, 5.0],
        ("torch", "compiled"): [9.0, 9.0, 9.0],
    },
    "latency_us": {
        ("tinycnn", "fused"): [10.0, 20.0, 30.0],
        ("onnxruntime", "spinning"): [20.0, 10.0, 30.0],
        ("onnxruntime", "sleeping"): [40.0, 40.0, 40.0],
    },
    "peak_gflops": {
        ("tinycnn", "registers"): [100.0, 200.0, 150.0],
        ("torch", "matrix product"): [120.0, 90.0, 100.0],
    },
}


def test_a_peers_best_variant_counts_and_tinycnn_counts_as_it_comes():
    results = results_of(**SAMPLES)
    assert summary.medians(results, "train") == {"tinycnn": 40.0, "torch": 10.0}
    assert summary.medians(results, "latency_us") == {"tinycnn": 20.0, "onnxruntime": 20.0}


def test_ratios_divide_values_of_the_same_round():
    ratios = summary.ratios(results_of(**SAMPLES))
    assert ratios["train_vs_torch"] == {"median": 3.0, "min": 2.0, "max": 10.0}
    assert ratios["latency_vs_onnxruntime"] == {"median": 1.0, "min": 0.5, "max": 2.0}
    assert set(ratios) == {"train_vs_torch", "latency_vs_onnxruntime"}


def test_the_dense_bound_follows_from_the_peak_and_the_work_of_an_image():
    bounds = summary.bounds(results_of(**SAMPLES))
    assert bounds["peak_gflops"] == 200
    assert bounds["matrix_product_gflops"] == 120
    assert bounds["mflop_per_training_image"] == pytest.approx(22.3, abs=0.01)
    assert bounds["train_share_of_peak"] == pytest.approx(40 * 22.298112e6 / 200e9)


@pytest.mark.parametrize("name", recipe.NETWORKS)
def test_dense_work_is_that_of_the_sums_layer_by_layer(name):
    forward = backward = 0
    network = recipe.NETWORKS[name]
    for index, (kind, *sizes) in enumerate(network):
        before, after = recipe.shapes(network)[index : index + 2]
        if kind == "conv":
            work = 2 * after[0] * after[1] * after[2] * sizes[1] ** 2 * before[2]
        elif kind == "dense":
            work = 2 * before[0] * after[0]
        else:
            continue
        forward += work
        backward += work if index == 0 else 2 * work
    assert recipe.dense_flops(network) == (forward, forward + backward)


def test_rows_are_reordered_for_peers_that_flatten_channels_first():
    rng = np.random.default_rng(1)
    x, w = rng.standard_normal((3, 4, 5, 2)), rng.standard_normal((40, 7))
    channels_first = x.transpose(0, 3, 1, 2).reshape(3, -1)
    reordered = recipe.rows_from_chw(w, (4, 5, 2))
    np.testing.assert_allclose(channels_first @ reordered, x.reshape(3, -1) @ w)


class Learner:
    """Reads one more test digit in four after every step."""

    def __init__(self):
        self.steps, self.rates = 0, []

    def batch(self, images, labels):
        return images, labels

    def set_learning_rate(self, lr):
        self.rates.append(lr)

    def step(self, batch):
        self.steps += 1

    def predict(self, images):
        return (np.arange(len(images)) % 4 >= self.steps).astype(int)


def test_a_race_ends_with_the_half_epoch_that_reaches_the_target():
    digits = np.zeros((64, 28, 28), np.uint8), np.zeros(64, int)
    learner = Learner()
    rates = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]
    answer = race.run_race(lambda: learner, digits, digits, rates, 32, 0.7, seed=0)
    assert [accuracy for _, accuracy in answer["curve"]] == [0.5, 0.75]
    assert learner.rates == [0.1, 0.2, 0.3]


def test_a_race_that_nobody_wins_ends_with_the_recipe():
    digits = np.zeros((64, 28, 28), np.uint8), np.ones(64, int)
    learner = Learner()
    answer = race.run_race(lambda: learner, digits, digits, [0.1] * 5, 32, 1.0, seed=0)
    assert learner.steps == 5
    assert answer["curve"][-1][1] < 1


def test_charts_keep_their_text_as_text(tmp_path):
    samples = {**SAMPLES, "inference": SAMPLES["train"]}
    results = results_of(**samples)
    fast, slow = (
        race.Race(
            (name, "any"), seconds, seconds + 1, 1.0, 0.99, [(seconds / 2, 0.9), (seconds, 0.99)]
        )
        for name, seconds in (("tinycnn", 4.0), ("torch", 12.0))
    )
    charts.draw_speed(results, tmp_path / "speed.svg")
    charts.draw_grid([results], tmp_path / "grid.svg")
    charts.draw_races([fast, slow], 0.99, tmp_path / "race.svg")
    for path in tmp_path.glob("*.svg"):
        assert ">tinycnn</text>" in path.read_text()


@pytest.mark.skipif(config.DISABLE_JIT, reason="thousands of images in plain Python")
def test_tinycnn_alone_gives_a_table_and_the_promised_json(tmp_path, capsys):
    out = tmp_path / "versus.json"
    alone = ["--quick", "--contenders", "tinycnn", "--threads", "1", "--patience", "0"]
    assert versus.main([*alone, "--json", str(out)]) == 0
    found = json.loads(out.read_text())
    assert set(found["train"]) == set(found["inference"]) == set(found["latency_us"]) == {"tinycnn"}
    assert found["train"]["tinycnn"] > 0
    assert found["ratio"] == {}
    assert found["left_out"] == []
    assert "training, images/s" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--rounds", "0"], "no whole number from 1"),
        (["--batch", "many"], "no whole number from 1"),
        (["--contenders", "tinycnn,theano"], "there is no theano"),
        (["--to-accuracy", "101"], "no percentage"),
        (["--json", "nowhere/out.json"], "there is no folder nowhere"),
        (["--patience", "nan"], "no number of seconds"),
    ],
)
def test_impossible_options_are_refused_before_anything_is_measured(arguments, complaint, capsys):
    with pytest.raises(SystemExit) as stop:
        versus.main(arguments)
    assert stop.value.code == 2
    assert complaint in capsys.readouterr().err
