"""python -m tinycnn.export: other programs compute the same as the network here."""

import json
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

import onnx
from elsewhere import NAMES, examples, network

from tinycnn import export
from tinycnn.cli import run_command
from tinycnn.errors import ShapeError, WeightsError
from tinycnn.exchange import ENDINGS, exporters, verification
from tinycnn.nn import Conv2D, Dense, Flatten, ReLU, Sequential, Softmax

pytestmark = pytest.mark.usefixtures("one_thread")


def close(y, z):
    np.testing.assert_allclose(y, z, rtol=1e-5, atol=1e-5 * max(1, abs(z).max()))


@pytest.mark.parametrize("to", verification.PROGRAMS)
@pytest.mark.parametrize("name", NAMES)
def test_other_programs_compute_the_same(name, to):
    if to == "pytorch":
        pytest.importorskip("torch")
    model = network(name)
    x = examples(model)
    forward = verification.PROGRAMS[to](exporters.exported(model, to), model)
    close(forward(x), model.forward(x))


@pytest.mark.parametrize("name", NAMES)
def test_equal_networks_give_equal_bytes_and_both_formats_the_same_arrays_and_notes(name):
    files, again = ([exporters.exported(network(name), to) for to in ENDINGS] for _ in range(2))
    assert files == again
    file, state = onnx.ModelProto.FromString(files[0]), safetensors.numpy.load(files[1])
    for tensor in file.graph.initializer:
        if tensor.name.split(".")[1] not in ("ratio", "pads"):
            array = onnx.numpy_helper.to_array(tensor)
            np.testing.assert_array_equal(state.pop(tensor.name), array)
    assert all(key.endswith("num_batches_tracked") for key in state)
    header, _ = json.JSONDecoder().raw_decode(files[1][8:].decode(errors="replace"))
    notes = {z.key: z.value for z in file.metadata_props}
    assert json.loads(header["__metadata__"]["notes"]) == notes


def test_probabilities_use_the_temperature():
    model = network("lenet")
    model.description["calibration"] = {"temperature": 1.7}
    payload = exporters.exported(model, "onnx", softmax=True)
    x = examples(model)
    p = np.exp(model.forward(x).astype(float) / 1.7)
    p /= p.sum(axis=1, keepdims=True)
    close(verification.onnxruntime_forward(payload, model)(x), p)
    assert b"probabilities" in payload


def test_an_onnx_model_has_the_metadata_that_its_readers_need():
    model = network("lenet")
    model.description["classes"] = list("0123456789")
    model.description["calibration"] = {"temperature": 1.25, "threshold": -3}
    file = onnx.ModelProto.FromString(exporters.exported(model, "onnx"))

    (images,), (logits,) = file.graph.input, file.graph.output
    for z, name, wanted in ((images, "images", ["N", 1, 28, 28]), (logits, "logits", ["N", 10])):
        assert z.name == name
        assert [d.dim_param or d.dim_value for d in z.type.tensor_type.shape.dim] == wanted
    assert [node.name for node in file.graph.node][:3] == ["0_Conv2D", "1_ReLU", "2_MaxPool2D"]
    notes = {z.key: z.value for z in file.metadata_props}
    assert (notes["layout"], notes["temperature"], notes["threshold"]) == ("NCHW", "1.25", "-3.0")
    assert json.loads(notes["classes"]) == list("0123456789")
    assert np.float32(notes["scale"]) == np.float32(1 / 255)
    assert "center of mass" in notes["frame"]


def test_a_network_that_is_computed_differently_is_not_written(tmp_path, monkeypatch):
    other = network("lenet", seed=5)
    monkeypatch.setitem(verification.PROGRAMS, "pytorch", lambda *given: other.forward)
    with pytest.raises(WeightsError, match=r"something else on 2,000 images: \d+ labels"):
        exporters.export(network("lenet"), "pytorch", tmp_path / "x.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_the_report_says_that_the_other_program_is_missing(tmp_path, monkeypatch):
    def missing(*given):
        raise ImportError("No module named 'torch'")

    monkeypatch.setitem(verification.PROGRAMS, "pytorch", missing)
    report = exporters.export(network("rows"), "pytorch", tmp_path / "x.safetensors")
    assert report.verified is None
    assert "verified  not: the other program is not installed" in str(report)
    modules = "nn.Linear(7, 5),", "nn.BatchNorm1d(5),", "nn.ReLU(),", "nn.Linear(5, 3),"
    assert report.module.splitlines()[1:-1] == [f"    {module}" for module in modules]
    assert (tmp_path / "x.safetensors").exists()


class Mine(ReLU):
    """A layer of your own."""


@pytest.mark.parametrize("to", ["onnx", "pytorch"])
@pytest.mark.parametrize(
    ("layers", "sentence"),
    [
        ([Flatten(), Mine(), Dense(3)], r"Mine\(\) cannot be exported"),
        ([Conv2D(3, 2), Flatten(), Softmax()], "flattened need a Dense layer after them"),
    ],
)
def test_layers_that_other_programs_do_not_have_are_refused(to, layers, sentence):
    with pytest.raises(ShapeError, match=sentence):
        exporters.exported(Sequential(layers, (4, 3, 2)), to)


def test_the_command_exports_and_verifies(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run_command(export.main, ["default", "--to", "onnx", "--json"]) == 0
    outcome = json.loads(capsys.readouterr().out)
    assert outcome["file"] == "network.onnx"
    assert outcome["bytes"] == Path("network.onnx").stat().st_size
    assert outcome["verified"].startswith("on 2,000 images: 2,000 labels equal, largest")


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        ("nowhere --to onnx", 2, "nowhere does not exist"),
        ("huge --to onnx", 2, "these weights give answers that are not finite"),
        ("images --to onnx --softmax", 2, "takes rows"),
        ("default --to pytorch --softmax", 2, "--softmax goes with --to onnx"),
        ("default --to pytorch -o x.h5", 2, "x.h5 does not end in .safetensors"),
        ("w.safetensors --to pytorch -o w.safetensors", 2, "is an input"),
        ("w.safetensors --to pytorch -o no/w.safetensors", 3, "no does not exist"),
    ],
)
def test_what_makes_no_sense_ends_in_one_sentence_and_nothing_is_written(
    words, code, sentence, tmp_path, refused, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    network("rows").save("w.safetensors")
    network("never flattened").save("images")
    huge = network("rows")
    for z in huge.arrays().values():
        z[...] = 3e38
    huge.save("huge")
    assert sentence in refused(export.main, *words.split(), code=code)
    assert len([*tmp_path.iterdir()]) == 3
