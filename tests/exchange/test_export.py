"""python -m tinycnn.export: other programs compute the same as the network here."""

import io
import json
import os
import runpy
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import safetensors
import safetensors.numpy
from elsewhere import NAMES, examples, network, pytorch

from tinycnn import export
from tinycnn.cli import run_command
from tinycnn.errors import EnvironmentFault, ShapeError, TinyCNNError, WeightsError
from tinycnn.exchange import exporters, verification
from tinycnn.exchange.layout import TRANSLATED
from tinycnn.nn import Conv2D, Dense, Flatten, ReLU, Sequential, Softmax
from tinycnn.nn.weights import LAYERS

pytestmark = pytest.mark.usefixtures("one_thread")

SUFFIXES = {"onnx": ".onnx", "pytorch": ".safetensors", "keras": ".keras"}


@pytest.fixture
def unverified(monkeypatch):
    """Write files without running the other program."""
    monkeypatch.setattr(exporters, "_verify", lambda *_: (None, "not run"))


def written(model, to, folder, name=None, **options):
    path = folder / (name or f"network{SUFFIXES[to]}")
    exporters.export(model, to, path, **options)
    return path


def call(*argv):
    return run_command(export.main, [str(argument) for argument in argv])


def close(y, z):
    np.testing.assert_allclose(y, z, rtol=1e-5, atol=1e-5 * max(1, abs(z).max()))


# ------------------------------------------------------------------- what other programs compute


@pytest.mark.parametrize("name", NAMES)
def test_onnxruntime_computes_the_same(name, tmp_path, unverified):
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    model = network(name)
    path = written(model, "onnx", tmp_path)

    x = examples(model)
    close(verification.onnxruntime_forward(path)(x), model.forward(x))


@pytest.mark.parametrize("name", NAMES)
def test_plain_formulas_compute_the_same_from_a_state_dict(name, tmp_path, unverified):
    model = network(name)
    state = safetensors.numpy.load_file(written(model, "pytorch", tmp_path))

    x = examples(model)
    y = pytorch(model.layers, state, np.moveaxis(x, -1, 1))
    close(np.moveaxis(y, 1, -1), model.forward(x))


@pytest.mark.parametrize("name", NAMES)
def test_pytorch_computes_the_same_under_the_same_names(name, tmp_path, unverified):
    pytest.importorskip("torch")
    model = network(name)
    path = written(model, "pytorch", tmp_path)
    program = tmp_path / "network_pytorch.py"

    x = examples(model)
    close(verification.pytorch_forward(path, program)(x), model.forward(x))
    module = runpy.run_path(str(program))["network"]
    state = safetensors.numpy.load_file(path)
    assert {key: tuple(z.shape) for key, z in module.state_dict().items()} == {
        key: z.shape for key, z in state.items()
    }


@pytest.mark.parametrize("ending", [".keras", ".weights.h5"])
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("ignore")
def test_keras_computes_the_same(name, ending, tmp_path, unverified):
    pytest.importorskip("h5py")
    pytest.importorskip("keras")
    model = network(name)
    path = written(model, "keras", tmp_path, f"network{ending}")
    programs = sorted(tmp_path.glob("*.py"))
    assert len(programs) == (ending == ".weights.h5")

    x = examples(model)
    close(verification.keras_forward(path, *programs)(x), model.forward(x))


def test_keras_files_hold_every_array_with_the_axes_of_keras(tmp_path, unverified):
    """(F,KH,KW,C) here is (KH,KW,C,F) there; the rest is the same."""
    h5py = pytest.importorskip("h5py")
    model = network("tiny")
    with zipfile.ZipFile(written(model, "keras", tmp_path)) as archive:
        config = json.loads(archive.read("config.json"))
        file = h5py.File(io.BytesIO(archive.read("model.weights.h5")), "r")

    w = file["layers/conv2d_3/vars/0"][()]
    np.testing.assert_array_equal(w, model.layers[11].params["w"].transpose(1, 2, 3, 0))
    np.testing.assert_array_equal(file["layers/dense/vars/0"], model.layers[15].params["w"])
    variance = file["layers/batch_normalization_1/vars/3"]
    np.testing.assert_array_equal(variance, model.layers[6].state["variance"])
    kinds = [entry["class_name"] for entry in config["config"]["layers"]]
    assert kinds[:4] == ["InputLayer", "Conv2D", "ReLU", "BatchNormalization"]
    assert config["config"]["layers"][3]["config"]["epsilon"] == 1e-5


def test_probabilities_use_the_temperature(tmp_path, unverified):
    pytest.importorskip("onnx")
    ort = pytest.importorskip("onnxruntime")
    model = network("lenet")
    model.description["calibration"] = {"temperature": 1.7}
    path = written(model, "onnx", tmp_path, softmax=True)

    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    assert [z.name for z in session.get_outputs()] == ["probabilities"]
    x = examples(model)
    p = np.exp(model.forward(x).astype(float) / 1.7)
    p /= p.sum(axis=1, keepdims=True)
    close(verification.onnxruntime_forward(path)(x), p)


# ----------------------------------------------------------------------------- the files


def test_an_onnx_model_has_the_metadata_that_its_readers_need(tmp_path, unverified):
    onnx = pytest.importorskip("onnx")
    model = network("lenet")
    model.description["classes"] = list("0123456789")
    model.description["calibration"] = {"temperature": 1.25, "threshold": -3}
    file = onnx.load(written(model, "onnx", tmp_path))

    (images,), (logits,) = file.graph.input, file.graph.output
    sizes = [
        [d.dim_param or d.dim_value for d in z.type.tensor_type.shape.dim] for z in (images, logits)
    ]
    assert (images.name, logits.name) == ("images", "logits")
    assert [node.name for node in file.graph.node][:3] == ["0_Conv2D", "1_ReLU", "2_MaxPool2D"]
    assert sizes == [["N", 1, 28, 28], ["N", 10]]
    notes = {z.key: z.value for z in file.metadata_props}
    assert (notes["layout"], notes["temperature"], notes["threshold"]) == ("NCHW", "1.25", "-3.0")
    assert json.loads(notes["classes"]) == list("0123456789")
    assert np.float32(notes["scale"]) == np.float32(1 / 255)
    assert "center of mass" in notes["frame"]


def test_a_state_dict_has_the_same_metadata_as_json(tmp_path, unverified):
    path = written(network("tiny"), "pytorch", tmp_path)
    with safetensors.safe_open(path, "np") as file:
        notes = json.loads(file.metadata()["notes"])
    assert notes["layout"] == "NCHW"
    assert "classes" not in notes
    assert "temperature" not in notes


@pytest.mark.parametrize("to", SUFFIXES)
def test_equal_networks_give_equal_bytes(to, tmp_path, unverified):
    pytest.importorskip("onnx")
    pytest.importorskip("h5py")
    (tmp_path / "again").mkdir()
    for folder in (tmp_path, tmp_path / "again"):
        written(network("best"), to, folder)
    for path in (tmp_path / "again").iterdir():
        assert path.read_bytes() == (tmp_path / path.name).read_bytes()


def test_the_code_is_ten_lines_that_people_can_read(tmp_path, unverified):
    report = exporters.export(network("rows"), "pytorch", tmp_path / "x.safetensors")
    assert (tmp_path / "x_pytorch.py").read_text() == report.program
    assert report.program.endswith(
        """
from pathlib import Path

from safetensors.torch import load_file
from torch import nn

network = nn.Sequential(
    nn.Linear(7, 5),
    nn.BatchNorm1d(5),
    nn.ReLU(),
    nn.Linear(5, 3),
)
network.load_state_dict(load_file(Path(__file__).with_name("x.safetensors")))
network.eval()
"""
    )


# ----------------------------------------------------------------------------- refusals


def test_a_network_that_is_computed_differently_is_not_written(tmp_path, monkeypatch):
    model = network("lenet")
    other = network("lenet", seed=5)
    monkeypatch.setitem(verification.PROGRAMS, "pytorch", lambda *paths: other.forward)
    with pytest.raises(WeightsError, match=r"something else: PyTorch on 2,000 images: \d+ labels"):
        exporters.export(model, "pytorch", tmp_path / "x.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_the_report_says_that_the_other_program_is_missing(tmp_path, monkeypatch):
    def missing(*paths):
        raise ImportError("No module named 'torch'")

    monkeypatch.setitem(verification.PROGRAMS, "pytorch", missing)
    report = exporters.export(network("rows"), "pytorch", tmp_path / "x.safetensors")

    assert report.as_dict()["verification"] is None
    assert "verified  not: No module named 'torch'" in str(report)
    assert (tmp_path / "x.safetensors").exists()


def test_a_missing_package_is_named(tmp_path, monkeypatch):
    monkeypatch.delitem(sys.modules, "tinycnn.exchange.onnx_export", raising=False)
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(EnvironmentFault, match=r"needs onnx: pip install 'tinycnn\[export\]'"):
        exporters.export(network("rows"), "onnx", tmp_path / "x.onnx")


def test_code_that_tinycnn_did_not_write_is_not_replaced(tmp_path, unverified):
    mine = tmp_path / "x_pytorch.py"
    mine.write_text("print('mine')")
    with pytest.raises(EnvironmentFault, match="was not written by"):
        exporters.export(network("rows"), "pytorch", tmp_path / "x.safetensors")
    assert [path.name for path in tmp_path.iterdir()] == [mine.name]

    mine.unlink()
    for _ in range(2):  # but code by tinycnn is
        exporters.export(network("rows"), "pytorch", tmp_path / "x.safetensors")


def test_layers_of_your_own_are_refused(tmp_path):
    class Mine(ReLU):
        pass

    model = Sequential([Flatten(), Mine(), Dense(3)], (4, 4, 1))
    for to in SUFFIXES:
        pytest.importorskip({"onnx": "onnx", "keras": "h5py"}.get(to, "numpy"))
        with pytest.raises(ShapeError, match=r"Mine\(\) cannot be exported"):
            written(model, to, tmp_path)


@pytest.mark.parametrize("to", ["onnx", "pytorch"])
def test_flattened_channels_need_a_dense_layer_that_puts_them_in_order(to, tmp_path):
    pytest.importorskip("onnx")
    model = Sequential([Conv2D(3, 2), Flatten(), Softmax()], (4, 3, 2))
    with pytest.raises(ShapeError, match="without a Dense layer after them"):
        written(model, to, tmp_path)


def test_every_layer_of_the_library_is_translated():
    assert set(LAYERS.values()) == TRANSLATED


def test_files_need_the_endings_that_their_readers_expect(tmp_path):
    with pytest.raises(TinyCNNError, match=r"x.h5 does not end in .keras or .weights.h5"):
        exporters.export(network("rows"), "keras", tmp_path / "x.h5")


def test_a_softmax_over_images_is_refused(tmp_path):
    pytest.importorskip("onnx")
    with pytest.raises(ShapeError, match="takes rows"):
        written(network("never flattened"), "onnx", tmp_path, softmax=True)


# ---------------------------------------------------------------------------------- the command


def test_weights_that_overflow_are_not_exported(tmp_path, capsys):
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    model = network("rows")
    for z in model.arrays().values():
        z[...] = 3e38
    model.save(tmp_path / "huge.safetensors")
    name = os.fsdecode(b"odd\xff.onnx")
    assert call(tmp_path / "huge.safetensors", "--to", "onnx", "-o", tmp_path / name) == 2
    err = capsys.readouterr().err
    assert err == (
        "error: these weights give answers that are not finite; train or fetch them again\n"
    )
    assert not (tmp_path / name).exists()


def test_the_command_exports_and_verifies(tmp_path, capsys, monkeypatch):
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    monkeypatch.chdir(tmp_path)
    assert call("default", "--to", "onnx", "--json") == 0

    outcome = json.loads(capsys.readouterr().out)
    assert outcome["files"] == {"network.onnx": Path("network.onnx").stat().st_size}
    assert outcome["verification"]["by"] == "onnxruntime"
    assert outcome["verification"]["images"] == outcome["verification"]["labels_equal"] == 2000


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["nowhere", "--to", "onnx"], "nowhere does not exist"),
        (["default", "--to", "caffe"], "invalid choice: 'caffe'"),
        (["default", "--to", "keras", "--softmax"], "--softmax goes with --to onnx"),
        (["w.safetensors", "--to", "pytorch", "-o", "w.safetensors"], "is an input"),
        (["w.safetensors", "--to", "pytorch", "-o", "no/w.safetensors"], "no does not exist"),
    ],
)
def test_options_that_make_no_sense_end_in_one_sentence(
    argv, sentence, tmp_path, capfd, monkeypatch, unverified
):
    monkeypatch.chdir(tmp_path)
    network("rows").save("w.safetensors")
    assert call(*argv) in (2, 3)
    err = capfd.readouterr().err
    assert sentence in err
    assert err.count("\n") == 1
