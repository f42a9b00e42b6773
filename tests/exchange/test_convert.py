"""python -m tinycnn.convert: networks from other programs, and refusals of unsupported ones.

Most tests need no other program: they write its files themselves, as it would.
"""

import io
import json
import pickle
import zipfile
from collections import Counter

import numpy as np
import pytest
import safetensors.numpy

pytest.importorskip("onnx")
pytest.importorskip("h5py")

import h5py
import onnx
from elsewhere import NAMES, examples, network, randomized, same
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from tinycnn import convert
from tinycnn.cli import run_command
from tinycnn.errors import WeightsError
from tinycnn.evaluate import __main__ as evaluate
from tinycnn.exchange import exporters
from tinycnn.exchange.importers import read
from tinycnn.nn import BatchNorm, Dense, Sequential, build

pytestmark = pytest.mark.usefixtures("one_thread")


def written(folder, payload):
    (folder / "x").write_bytes(payload)
    return folder / "x"


def refuse(path, sentence, known=None):
    """Reading ``path`` fails with ``sentence``, in one line that names it and is not long."""
    with pytest.raises(WeightsError, match=sentence) as refusal:
        read(path, known)
    text = str(refusal.value)
    assert text.startswith(str(path))
    assert "\n" not in text
    assert len(text) < len(str(path)) + 250


@pytest.mark.parametrize("to", ["onnx", "pytorch"])
@pytest.mark.parametrize("name", NAMES)
def test_exports_come_back_with_the_same_bits(name, to, tmp_path):
    model = network(name)
    model.description["calibration"] = {"temperature": 1.25, "threshold": -7.5}
    path = written(tmp_path, exporters.exported(model, to))
    back = read(path, model if to == "pytorch" else None)
    assert same(back, model)
    assert back.description.keys() == {"converted_from"}  # other numbers have another calibration


def state_of(model):
    return safetensors.numpy.load(exporters.exported(model, "pytorch"))


def state_dict(folder, state, names=None):
    """The state_dict of a user's own module: "0.weight" -> "conv1.weight"."""
    renamed = {}
    for key, z in state.items():
        owner, _, rest = key.partition(".")
        renamed[f"{names[owner]}.{rest}" if names else key] = z
    return written(folder, safetensors.numpy.save(renamed))


def test_modules_of_any_name_go_where_their_shapes_fit_and_by_the_numbers_in_names(tmp_path):
    model = network("lenet")
    names = {"0": "features.a", "3": "features.b", "7": "classifier.hidden", "9": "classifier.end"}
    assert same(read(state_dict(tmp_path, state_of(model), names), model), model)

    model = randomized(Sequential([*(Dense(4) for _ in range(12)), Dense(2)], (4,)))
    names = {str(k): f"fc{k + 1}" for k in range(13)}  # fc10 comes after fc9
    assert same(read(state_dict(tmp_path, state_of(model), names), model), model)

    names = {str(k): "abcdefghijklm"[k] for k in range(13)}
    path = state_dict(tmp_path, state_of(model), names)
    refuse(path, r"which comes first of \['a', 'b'", model)


def test_layers_without_bias_get_zeros_and_a_variance_below_zero_is_refused(tmp_path):
    model = network("tiny")
    state = {k: z for k, z in state_of(model).items() if k != "0.bias"}
    model.layers[0].params["b"][...] = 0
    assert same(read(state_dict(tmp_path, state), model), model)
    state["2.running_var"][0] = -1
    sentence = "BatchNorm with epsilon 1e-05 and a variance of -1"
    refuse(state_dict(tmp_path, state), sentence, model)


def pickled_zip():
    payload = io.BytesIO()
    with zipfile.ZipFile(payload, "w") as archive:
        archive.writestr("model/data.pkl", pickle.dumps({}))
    return payload.getvalue()


@pytest.mark.parametrize(
    ("payload", "sentence"),
    [
        (pickled_zip(), r"is a pickle, .* save it in PyTorch with safetensors.torch.save_file"),
        (pickle.dumps({"a": 1}), "is a pickle"),
        (b"<html>not found</html>" * 9, "damaged or of no supported kind"),
        (safetensors.numpy.save({"lstm.weight_ih_l0": np.zeros(3, "f4")}), "module 'lstm' with"),
        (safetensors.numpy.save({"0.weight": np.zeros(3, "f2")}), "is F16, expected F32"),
        (safetensors.numpy.save({"x": np.zeros(3, "f4")}, {"tinycnn": "{}"}), "of tinycnn already"),
    ],
)
def test_files_of_other_kinds_are_refused(payload, sentence, tmp_path):
    of_pytorch = payload[8:9] == b"{"
    refuse(written(tmp_path, payload), sentence, network("lenet") if of_pytorch else None)


def keras_layer(kind, **settings):
    return {"class_name": kind, "config": {"name": "mine", **settings}}


START = keras_layer("InputLayer", batch_shape=[None, 8, 8, 1])
CONV = {"filters": 2, "kernel_size": [3, 3]}
NO_BIAS = {"use_bias": False, "activation": "relu", "padding": "same"}


def keras_file(folder, *layers, arrays=None, fill=lambda file: None, **model):
    """A .keras file; ``model`` is its config by its class, if it is no Sequential of ``layers``."""
    payload = io.BytesIO()
    with h5py.File(payload, "w") as file:
        for name, z in (arrays or {}).items():
            file[name] = z
        fill(file)
    path = folder / "x.keras"
    with zipfile.ZipFile(path, "w") as archive:
        ((kind, inner),) = (model or {"Sequential": {"layers": [START, *layers]}}).items()
        archive.writestr("config.json", json.dumps({"class_name": kind, "config": inner}))
        archive.writestr("model.weights.h5", payload.getvalue())
    return path


@pytest.mark.parametrize(
    ("layer", "sentence"),
    [
        (keras_layer("Conv2D", **CONV, padding="causal"), "padding 'causal'"),
        (keras_layer("Conv2D", **CONV, strides=[2, 2]), "strides 2 instead of 1"),
        (keras_layer("Conv2D", **CONV, activation="gelu"), "activation 'gelu'"),
        (keras_layer("Conv2D", filters=2, kernel_size=[3, 5]), "not square"),
        (keras_layer("Conv2D", **CONV, data_format="channels_first"), "channels_first"),
        (keras_layer("MaxPooling2D", pool_size=[3, 3], strides=[2, 2]), "strides 2 instead of 3"),
        (keras_layer("MaxPooling2D", pool_size=[3, 3], padding="same"), "it does not divide"),
        (keras_layer("DepthwiseConv2D"), "DepthwiseConv2D 'mine' is not supported"),
        (keras_layer("ReLU", max_value=6), "max_value 6"),
        (keras_layer("BatchNormalization", axis=1), "axis 1"),
        (keras_layer("Rescaling", scale=[2.0]), "other than at the start, by one number"),
        (keras_layer("Dense", units=3), "takes rows"),
        (keras_layer("Reshape", target_shape=[4, 16]), r"into \[4, 16\]"),
    ],
)
def test_unsupported_parts_of_a_keras_file_are_named(layer, sentence, tmp_path):
    refuse(keras_file(tmp_path, layer), sentence)


def test_keras_conventions_become_layers(tmp_path):
    """Scaling in the model, activations as settings, another epsilon, no bias."""
    rng = np.random.default_rng(0)
    kernel = rng.normal(size=(4, 4, 1, 2)).astype("f4")
    four = [rng.uniform(0.5, 1, 2).astype("f4") for _ in range(4)]
    arrays = {"layers/conv2d/vars/0": kernel, "layers/dense/vars/0": np.ones((32, 3), "f4")}
    arrays |= {f"layers/batch_normalization/vars/{k}": z for k, z in enumerate(four)}
    layers = [
        keras_layer("Rescaling", scale=1 / 255, offset=0.0),
        keras_layer("Conv2D", filters=2, kernel_size=4, **NO_BIAS),
        keras_layer("BatchNormalization", axis=-1, epsilon=1e-3),
        keras_layer("MaxPooling2D", pool_size=[2, 2], strides=[2, 2]),
        *[keras_layer("Flatten"), keras_layer("Dense", units=3, activation="softmax")],
    ]
    model = read(keras_file(tmp_path, *layers, arrays=arrays))

    kinds = "ZeroPad2D Conv2D ReLU BatchNorm MaxPool2D Flatten Dense Softmax"
    assert " ".join(type(layer).__name__ for layer in model) == kinds
    assert repr(model.layers[0]) == "ZeroPad2D(1, 2)"
    np.testing.assert_allclose(model.layers[1].params["w"], kernel.transpose(3, 0, 1, 2))
    assert not model.layers[1].params["b"].any()
    total = model.layers[3].state["variance"] + BatchNorm.EPSILON
    np.testing.assert_allclose(total, four[3] + 1e-3, rtol=1e-6)


def test_a_chain_of_layers_may_be_functional_but_not_branch(tmp_path):
    def entry(layer, name, *sources):
        history = [{"class_name": "t", "config": {"keras_history": [z, 0, 0]}} for z in sources]
        return layer | {"name": name, "inbound_nodes": [{"args": history}] if sources else []}

    def file(*middle):
        end = entry(keras_layer("Dense", units=2), "dense", *middle)
        start, flat = entry(START, "in"), entry(keras_layer("Flatten"), "flat", "in")
        inner = {"layers": [start, flat, end], "output_layers": ["dense", 0, 0]}
        arrays = {"layers/dense/vars/0": np.ones((64, 2), "f4")}
        return keras_file(tmp_path, arrays=arrays, Functional=inner)

    assert repr(read(file("flat")).layers) == "(Flatten(), Dense(2))"
    for sources in (["in"], ["flat", "in"]):
        refuse(file(*sources), "whose input is not the layer before it")


def packed(file):
    shape, chunk = (40_000, 40_000), (40_000, 100)
    file.create_dataset("layers/dense/vars/0", shape, "f4", chunks=chunk, compression="gzip")


def test_only_numbers_that_are_in_the_file_take_memory(tmp_path):
    arrays = {"layers/dense/vars/0": np.ones((64, 2), "f4")}
    for units, sentence in ((10**6, r"1.w has \(64, 2\), expected"), (10**12, "with 1,000,000,")):
        layers = [keras_layer("Flatten"), keras_layer("Dense", units=units)]
        refuse(keras_file(tmp_path, *layers, arrays=arrays), sentence)
    with h5py.File(tmp_path / "secret", "w") as file:
        file["x"] = np.ones((64, 3), "f4")
    layers = [keras_layer("Flatten"), keras_layer("Dense", units=3)]
    linked = {"layers/dense/vars/0": h5py.ExternalLink(str(tmp_path / "secret"), "/x")}
    refuse(keras_file(tmp_path, *layers, arrays=linked), r"missing \['1.b', '1.w'\]")
    refuse(keras_file(tmp_path, *layers, fill=packed), "not in the file in one piece")
    path = tmp_path / "bomb.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", b" " * 2**22)
    refuse(path, "config.json is longer than 1,048,576 bytes")


def onnx_file(folder, nodes, constants, sizes, output="y"):
    """An ONNX file; nodes are (kind, inputs, output, settings)."""
    floats = onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        [helper.make_node(kind, ins, [out], **more) for kind, ins, out, more in nodes],
        "g",
        [helper.make_tensor_value_info("x", floats, ["N", *sizes])],
        [helper.make_tensor_value_info(output, floats, None)],
        [numpy_helper.from_array(np.asarray(z), name) for name, z in constants.items()],
    )
    path = folder / "x.onnx"
    path.write_bytes(helper.make_model(graph).SerializeToString())
    return path


REDUCED = [("ReduceMean", ["x"], "0", {"axes": [2, 3], "keepdims": 0})]
REDUCED += [("MatMul", ["0", "one row"], "1", {})]


def conv(**settings):
    return [("Conv", ["x", "w"], "y", settings)]


@pytest.mark.parametrize(
    ("nodes", "sentence"),
    [
        (conv(pads=[0, 1, 1, 1]), r"pads \[0, 1, 1, 1\]"),
        ([("LSTM", ["x"], "y", {})], "LSTM 'y' is not supported"),
        ([("Flatten", ["x"], "y", {})], "flattened need a Dense layer"),
        ([("Squeeze", ["x"], "y", {})], "not after a mean over the image"),
        ([("ReduceMean", ["x"], "y", {"axes": [1]})], r"over the axes \[1\]"),
        ([*REDUCED, ("LogSoftmax", ["1"], "2", {}), ("Relu", ["2"], "y", {})], "after the last"),
        ([("Sub", ["x", "two"], "0", {}), ("Relu", ["0"], "y", {})], "normalized before ReLU"),
        ([("MaxPool", ["x"], "y", {"kernel_shape": [2, 2]})], "strides 1 instead of 2"),
        ([("Conv", ["w", "x"], "y", {})], "with a constant as first input"),
        ([("Add", ["x", "x"], "y", {})], "another input than the output before it"),
        ([("Relu", ["x"], "0", {}), ("Add", ["0", "two"], "y", {})], "does not add a bias"),
        ([("Relu", ["x", "two"], "y", {})], "Relu 'y' with 1 constant inputs"),
        ([("Relu", ["x"], "0", {}), ("Div", ["0", "two"], "y", {})], "other than at the start"),
        ([("Relu", ["x"], "y", {"domain": "mine"})], "of the domain 'mine'"),
        ([("Relu", ["x"], "z", {})], "not that of its last node"),
        ([("Conv", ["x", "doubles"], "y", {})], "'doubles' of the type DOUBLE"),
    ],
)
def test_unsupported_parts_of_an_onnx_file_are_named(nodes, sentence, tmp_path):
    constants = {
        "w": np.ones((2, 1, 3, 3), "f4"),
        "two": np.float32(2),
        "doubles": np.ones((2, 1, 3, 3)),
        "one row": np.ones((1, 3), "f4"),
    }
    channels = 2 if nodes[0][0] == "Flatten" else 1
    refuse(onnx_file(tmp_path, nodes, constants, (channels, 8, 8)), sentence)


def test_arrays_in_a_file_beside_the_model_are_read_and_no_others(tmp_path):
    path = graph(tmp_path, *NETWORKS["PyTorch quickstart"])
    whole = read(path)
    model = onnx.load(path)  # as PyTorch's exporter does
    for tensor in model.graph.initializer:
        if len(tensor.dims) > 1:  # the others are left inside
            onnx.external_data_helper.set_external_data(tensor, "x.onnx.data")
    onnx.save(model, path)
    assert same(read(path), whole)

    beside = tmp_path / "x.onnx.data"
    outside = beside.rename(tmp_path.parent / f"{tmp_path.name}.data")
    refuse(path, r"'x.onnx.data', which is not beside it; put it there")
    beside.symlink_to(outside)
    refuse(path, "is not beside it")
    beside.unlink()
    beside.write_bytes(outside.read_bytes()[:-1])
    refuse(path, "does not hold the numbers of")
    path.write_bytes(path.read_bytes().replace(b"x.onnx.data", b"../onnx.dat"))
    refuse(path, r"'../onnx.dat', which is not beside it")


def graph(folder, *steps, **constants):
    """Write an ONNX file as PyTorch's exporters do: steps are (kind, shape of weights, settings).

    "view" is x.view(x.size(0), -1) with a symbolic batch.
    """
    rng = np.random.default_rng(0)
    nodes, x = [], "x"
    constants |= {"zero": 0, "first": [0], "rest": [-1], "over": [2, 3]}
    for index, (kind, shape, settings) in enumerate(steps):
        y, names = f"y{index}", []
        if kind == "view":
            nodes.append(("Shape", [x], "shape", {}))
            nodes.append(("Gather", ["shape", "zero"], "batch", {"axis": 0}))
            nodes.append(("Unsqueeze", ["batch", "first"], "batches", {}))
            nodes.append(("Concat", ["batches", "rest"], "target", {"axis": 0}))
            kind, names = "Reshape", ["target"]
        for number, size in enumerate(shape):
            names.append(f"{index}.{number}")
            scale = np.sqrt(np.prod(size[1:])) if len(size) > 1 else 1
            constants[names[-1]] = (rng.normal(size=size) / scale).astype("f4")
        more = {key: z for key, z in settings.items() if key != "inputs"}
        nodes.append((kind, [x, *names, *settings.get("inputs", [])], y, more))
        x = y
    return onnx_file(folder, nodes, constants, (1, 28, 28), output=x)


def onnx_conv(F, C, K, **settings):
    return "Conv", [(F, C, K, K), (F,)], settings


def linear(K, D):
    return "Gemm", [(K, D), (K,)], {"transB": 1}


def of(kind, **settings):
    return kind, [], settings


def pool(kind, size=2):
    return of(kind, kernel_shape=[size] * 2, strides=[size] * 2)


RELU, TANH, LOG_SOFTMAX = of("Relu"), of("Tanh"), of("LogSoftmax", axis=1)
MAX, MEAN = pool("MaxPool"), pool("AveragePool")

NETWORKS = {
    "pytorch/examples": [onnx_conv(4, 1, 3), RELU, onnx_conv(5, 4, 3), RELU, MAX]
    + [of("Flatten", axis=1), linear(12, 720), RELU, linear(10, 12), LOG_SOFTMAX],
    "pytorch/examples of 2017": [onnx_conv(4, 1, 5), MAX, RELU, onnx_conv(5, 4, 5), MAX, RELU]
    + [of("view"), linear(12, 80), RELU, linear(10, 12), LOG_SOFTMAX],
    "LeNet-5": [onnx_conv(6, 1, 5, pads=[2] * 4), TANH, MEAN, onnx_conv(16, 6, 5), TANH, MEAN]
    + [of("view"), linear(12, 400), TANH, linear(10, 12)],
    "PyTorch quickstart": [of("Flatten"), linear(20, 784), RELU, linear(10, 20)],
    "mnist-12": [("Conv", [(8, 1, 5, 5)], {"auto_pad": "SAME_UPPER"}), ("Add", [(8, 1, 1)], {})]
    + [RELU, MAX, ("Conv", [(16, 8, 4, 4)], {"auto_pad": "SAME_UPPER"}), ("Add", [(16, 1, 1)], {})]
    + [RELU, pool("MaxPool", 3), of("view"), ("MatMul", [(256, 10)], {}), ("Add", [(1, 10)], {})],
    "global average": [onnx_conv(4, 1, 3, pads=[1] * 4), of("LeakyRelu", alpha=0.2)]
    + [of("ReduceMean", inputs=["over"], keepdims=1), of("view"), linear(10, 4)],
}


@pytest.mark.parametrize("name", NETWORKS)
def test_public_networks_in_onnx_give_identical_labels(name, tmp_path):
    path = graph(tmp_path, *NETWORKS[name])
    model = read(path)
    x = examples(model)
    theirs = ReferenceEvaluator(onnx.load(path)).run(None, {"x": np.moveaxis(x, -1, 1)})[0]
    mine = model.predict_proba(x)
    np.testing.assert_array_equal(mine.argmax(axis=1), theirs.argmax(axis=1))
    expected = np.exp(theirs) / np.exp(theirs).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(mine, expected, atol=1e-5)


@pytest.mark.parametrize("unit", [1, 255])
def test_a_normalization_in_the_graph_is_folded_into_the_first_layer(unit, tmp_path):
    """Of an input from 0 to 1 as of gray levels."""
    steps = of("Sub", inputs=["mean"]), of("Div", inputs=["deviation"]), onnx_conv(3, 1, 3), MAX
    mean, deviation = np.float32([0.1307 * unit]), np.float32([[[[0.3081 * unit]]]])
    path = graph(tmp_path, *steps, mean=mean, deviation=deviation)
    back = read(path)
    assert [type(layer).__name__ for layer in back] == ["Conv2D", "MaxPool2D"]
    x = examples(back, 3)
    there = np.moveaxis(x, -1, 1) * np.float32(unit)
    theirs = ReferenceEvaluator(onnx.load(path)).run(None, {"x": there})[0]
    np.testing.assert_allclose(np.moveaxis(back.forward(x), -1, 1), theirs, atol=1e-5)


KERAS_NETWORKS = {
    "keras.io": "Conv2D(2,2) ReLU MaxPool2D(2) Conv2D(2,2) ReLU MaxPool2D(2) "
    "Flatten Dropout(0.5) Dense(4) Softmax",
    "TF quickstart": "Flatten Dense(4) ReLU Dropout(0.5) Dense(4)",
    "Keras for engineers": "Conv2D(2,2) ReLU Conv2D(2,2) ReLU MaxPool2D(2) Conv2D(2,2) ReLU "
    "GlobalAveragePool2D Dropout(0.5) Dense(4) Softmax",
}
IN_KERAS = {
    "Conv2D": ("Conv2D", CONV | {"kernel_size": [2, 2]}),
    "MaxPool2D": ("MaxPooling2D", {"pool_size": [2, 2]}),
    "GlobalAveragePool2D": ("GlobalAveragePooling2D", {}),
    "Flatten": ("Flatten", {}),
    "Dense": ("Dense", {"units": 4}),
    "Dropout": ("Dropout", {"rate": 0.5}),
}


@pytest.mark.parametrize("name", KERAS_NETWORKS)
def test_public_networks_in_keras_come_in_as_keras_and_as_legacy_h5(name, tmp_path):
    model = randomized(build(KERAS_NETWORKS[name], (8, 8, 1)))
    layers, numbered, named, seen = [], {}, {}, Counter()
    for layer in model:
        kind = type(layer).__name__
        if kind in ("ReLU", "Softmax"):  # Keras writes them as settings of the layer before them
            layers[-1]["config"]["activation"] = kind.lower()
            continue
        theirs, settings = IN_KERAS[kind]
        own, group = f"layer_{len(layers)}", f"{theirs.lower()}_{seen[kind]}".removesuffix("_0")
        layers.append(keras_layer(theirs, **settings | {"name": own}))
        seen[kind] += 1
        for number, (key, z) in enumerate(layer.params.items()):
            array = z.transpose(1, 2, 3, 0) if z.ndim == 4 else z
            numbered[f"layers/{group}/vars/{number}"] = array
            named[f"model_weights/{own}/s/{own}/{'kernel' if key == 'w' else 'bias'}"] = array
    assert same(read(keras_file(tmp_path, *layers, arrays=numbered)), model)

    config = {"class_name": "Sequential", "config": {"name": "s", "layers": [START, *layers]}}
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.attrs["model_config"] = json.dumps(config).encode()
        for path, array in named.items():
            file[path] = array
    assert same(read(tmp_path / "x.h5"), model)


def test_a_converted_network_can_be_evaluated_and_names_its_origin(tmp_path, capsys):
    path = written(tmp_path, exporters.exported(network("lenet"), "pytorch"))
    like, target = tmp_path / "like", tmp_path / "w"
    network("lenet", seed=5).save(like)
    words = [path, "--like", like, "-o", target, "--json"]
    assert run_command(convert.main, [str(word) for word in words]) == 0
    assert json.loads(capsys.readouterr().out) == {"from": "PyTorch", "weights": str(target)}

    assert run_command(evaluate.main, [str(target), "--dataset", "mnist10k", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["trained_on"] is None


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        ("nowhere -o w", 2, "nowhere: there is no such file"),
        ("x -o w", 2, "does not describe its layers"),
        ("x -o x", 2, "is an input"),
        ("x -o w --preset magic", 2, "there is no preset 'magic'"),
        ("x -o w --preset tiny", 2, "it holds 0 Conv2d with weight"),
        ("x -o no/w --like like", 3, "no does not exist"),
    ],
)
def test_options_that_make_no_sense_end_in_one_sentence(
    words, code, sentence, tmp_path, refused, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    written(tmp_path, exporters.exported(network("lenet"), "pytorch"))
    network("lenet").save("like")
    assert sentence in refused(convert.main, *words.split(), code=code)
    assert {path.name for path in tmp_path.iterdir()} == {"x", "like"}
