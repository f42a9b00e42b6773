"""The commands that choose recipes and tell how good they are."""

import dataclasses
import json
import subprocess
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks import accuracy
from benchmarks.choosing import judge, turned
from tinycnn.cli import run_command
from tinycnn.data import load_dataset
from tinycnn.train.recipe import Recipe


@pytest.fixture(scope="module")
def few():
    dataset = load_dataset("mnist10k")
    images, labels = dataset.train_images[:200], dataset.train_labels[:200]
    return dataclasses.replace(dataset, train_images=images, train_labels=labels)


def test_every_block_is_judged_by_once_and_the_rest_stays_in_order(few):
    blocks = [turned(few, block, 5) for block in range(5)]
    last = np.concatenate([dataset.train_images[160:] for dataset in blocks])
    assert np.array_equal(last, few.train_images)
    assert np.array_equal(blocks[1].train_images[:120], few.train_images[80:])
    assert np.array_equal(blocks[1].train_labels[160:], few.train_labels[40:80])


def test_test_images_do_not_matter(few):
    blank = dataclasses.replace(few, test_images=np.zeros_like(few.test_images))
    recipe = Recipe.for_data(200, validation=0.2, epochs=2, augment="none")
    (found, loss, rules), (*same, same_rules) = (judge(recipe, dataset) for dataset in (few, blank))
    assert [found, loss] == same
    assert np.array_equal(rules, same_rules)
    assert 0 <= found <= 1
    assert loss > 0


def test_a_table_has_a_row_for_every_seed_and_means(monkeypatch, capsys, tmp_path):
    calls = []

    def run(words, **_):
        calls.append(words[2:])
        n = int(words[words.index("--seed") + 1]) if "--seed" in words else 0
        result = {"test_accuracy": 0.99 + n / 1000, "errors": 10 - n, "seconds": 2.0 + n}
        result |= {"images_per_second": 1000.0, "weights": "w", "accuracy": 0.98}
        return SimpleNamespace(returncode=0, stdout=json.dumps(result), stderr="")

    monkeypatch.setattr(subprocess, "run", run)
    arguments = ["--seeds", "3", "--folder", str(tmp_path), "--also", "elsewhere"]
    assert run_command(accuracy.main, [*arguments, "--preset", "tiny", "--epochs", "2"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [line[0] for line in lines] == ["seed", "0", "1", "2", "mean", "+-"]
    assert lines[4][1:4] == ["99.100", "9.0", "98.000"]
    assert lines[5][1:3] == ["0.100", "1.0"]
    assert calls[0][-4:] == ["--preset", "tiny", "--epochs", "2"]
    assert calls[1] == ["tinycnn.evaluate", "--json", "w", "--data-dir", "elsewhere"]
    assert len({call[call.index("--run-dir") + 1] for call in calls[::2]}) == 3
