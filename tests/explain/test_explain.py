"""python -m tinycnn.explain: nothing in it is a copy, and every number in it is right."""

import re
from pathlib import Path

import numpy as np
import pytest

from tinycnn import kernels
from tinycnn.cli import run_command
from tinycnn.explain.__main__ import main
from tinycnn.explain.catalogue import NAMES, VERSIONS, Operation, find, sources
from tinycnn.explain.command import sections
from tinycnn.explain.example import work_out
from tinycnn.explain.figures import matrices, number, side_by_side

pytestmark = pytest.mark.usefixtures("one_thread")

ROOT = Path(__file__).parents[2]

every_operation = pytest.mark.parametrize("name", NAMES)


@pytest.fixture(scope="module")
def examples():
    """Every example, made once."""
    return {name: work_out(Operation(name)) for name in NAMES}


def call(*argv):
    return run_command(main, list(argv))


def test_the_operations_are_those_of_the_kernels():
    assert set(NAMES) == set(dir(kernels))


@every_operation
def test_every_docstring_has_a_sentence_an_idea_a_formula_and_shapes(name):
    sentence, _, formula, shapes = Operation(name).docstring
    assert re.match(r"[A-Z][^.]+.*[.]", sentence, re.DOTALL)
    assert re.search(r"^ +\w+(\[.*\])? += ", formula)
    assert re.search(r"->|written into", shapes)


def test_other_names_find_the_operation():
    words = "Conv2D", "max pool", "SoftmaxCrossEntropy", "adam", "conv2d_backward_input"
    assert [find(word).name for word in words] == [
        "conv2d",
        "maxpool2d",
        "softmax_cross_entropy",
        "adam_update",
        "conv2d_backward_input",
    ]


@pytest.mark.parametrize(
    ("word", "hint"), [("covn2d", "did you mean conv2d?"), ("zebra!", "tinycnn.explain lists all")]
)
def test_an_unknown_word_gets_the_nearest_or_the_list(word, hint, refused):
    assert hint in refused(main, word)


@every_operation
@pytest.mark.parametrize("version", VERSIONS)
def test_the_code_is_in_its_file_at_its_line(name, version):
    found = sources(Operation(name).version(version))
    for source in found:
        lines = (ROOT / source.file).read_text().splitlines()
        code = source.code.splitlines()
        assert lines[source.line - 1 : source.line - 1 + len(code)] == code
    assert f"def {name}(" in found[0].code


def test_kernels_agree_with_the_examples(examples):
    assert max(example.apart for example in examples.values()) < 1e-12


def test_intermediate_values_are_the_variables_of_the_reference(examples):
    example = examples["conv2d_backward_input"]
    np.testing.assert_array_equal(example.between["turned"], example.given["w"][:, ::-1, ::-1])
    assert set(examples["softmax"].between) == {"exponentials"}


def test_a_wrong_kernel_is_reported(monkeypatch, capsys):
    right = kernels.dense_backward_input
    monkeypatch.setattr(kernels, "dense_backward_input", lambda dy, w: right(dy, w) * 1.001)
    assert call("dense_backward_input") == 1
    assert "The kernel differs by" in capsys.readouterr().out


def test_matrices_are_aligned_and_labeled_with_their_index_and_numbers_are_short():
    x = np.arange(-2.0, 14.0).reshape(1, 2, 4, 2)
    text = side_by_side(list(matrices("x", x)))
    assert text.splitlines() == [
        "x[0,:,:,0]        x[0,:,:,1]",
        "-2   0   2   4    -1   1   3   5",
        " 6   8  10  12     7   9  11  13",
    ]
    values = (1.0, -0.0, 1 / 3, -2.0, 1e-8)
    assert list(map(number, values)) == ["1", "0", "0.3333", "-2", "1e-08"]


def test_the_text_has_all_parts_in_order(examples, capsys):
    parts = list(sections(Operation("conv2d"), examples["conv2d"]))
    assert [re.sub(r", line \d+", "", heading) for heading, _ in parts] == [
        "conv2d",
        "Formula",
        "Reference (tinycnn/nn/reference.py)",
        "Compiled (tinycnn/kernels/conv.py)",
        "Example: given",
        "Example: intermediate values",
        "Example: result",
    ]
    assert call("Conv2D") == 0
    out = capsys.readouterr().out
    assert all(body in out for _, body in parts)


def test_without_a_name_all_operations_are_listed(capsys):
    assert call() == 0
    assert set(NAMES) <= set(capsys.readouterr().out.split())
