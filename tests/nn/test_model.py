"""The model: what it says about itself, what it refuses, what it answers, what it saves."""

import doctest

import numpy as np
import pytest

from tinycnn import nn
from tinycnn.errors import ShapeError, WeightsError
from tinycnn.nn import Sequential, build, gradcheck, model, weights
from tinycnn.nn.folding import fold
from tinycnn.nn.presets import name_of

pytestmark = pytest.mark.usefixtures("one_thread")

INPUT = (10, 9, 1)


STACK = "Conv2D(5, 3) ReLU MaxPool2D(2) Conv2D(6, 2) BatchNorm ReLU Flatten Dense(7) ReLU Dense(4)"


@pytest.fixture
def network():
    return build(STACK, INPUT, seed=3)


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (5, 10, 9), dtype=np.uint8)


LENET = """\
  layer          output        parameters
| Conv2D(32, 5)  24 x 24 x 32         832
| ReLU()         24 x 24 x 32           0
| MaxPool2D(2)   12 x 12 x 32           0
| Conv2D(64, 5)  8 x 8 x 64        51,264
| ReLU()         8 x 8 x 64             0
| MaxPool2D(2)   4 x 4 x 64             0
  Flatten()      1024                   0
  Dense(128)     128              131,200
  ReLU()         128                    0
  Dense(10)      10                 1,290
  total                           184,586"""


def test_lenet_is_the_network_of_the_design():
    lenet = build("lenet")
    assert lenet.summary() == LENET
    assert lenet.parameter_count() == 184_586


CONV_FIRST = "Conv2D(4,3) BatchNorm ReLU MaxPool2D(2) Flatten Dense(10)"


@pytest.mark.parametrize("name", ["normed", "tiny", "best", CONV_FIRST])
def test_a_folded_network_answers_the_same_without_batchnorm(name):
    model, rng = build(name), np.random.default_rng(0)
    norms = [layer for layer in model if isinstance(layer, nn.BatchNorm)]
    for z in [z for layer in norms for z in (layer.params | layer.state).values()]:
        z[...] = rng.uniform(0.5, 2, z.shape)
    folded = fold(model)
    x = rng.random((3, 28, 28, 1), np.float32)
    np.testing.assert_allclose(folded.forward(x), model.forward(x), rtol=1e-3)
    assert norms
    assert not any(isinstance(layer, nn.BatchNorm) for layer in folded)
    assert name_of(fold(build("normed"))) == "lenet"


def test_presets_are_built_for_the_shapes_and_classes_asked_for():
    for name in nn.PRESETS:
        network = build(name, input_shape=(32, 30, 3), classes=7)
        assert network.forward(np.zeros((2, 32, 30, 3), np.float32)).shape == (2, 7)
    with pytest.raises(ShapeError, match="no preset 'alexnet' and no such layer; presets are"):
        build("alexnet")


def test_examples_in_the_documentation_are_true():
    failed, attempted = doctest.testmod(model)
    assert (failed, attempted > 0) == (0, True)


def test_an_answer_does_not_depend_on_who_else_is_asked(network):
    many = np.random.default_rng(2).integers(0, 256, (model.BATCH + 3, 10, 9), dtype=np.uint8)
    together = network.predict_proba(many)
    assert together.shape == (model.BATCH + 3, 4)
    np.testing.assert_allclose(together[-1:], network.predict_proba(many[-1:]), atol=1e-6)


def test_images_are_taken_with_and_without_channel_as_bytes_and_as_floats(network, images):
    expected = network.predict_proba(images)
    floats = (images / 255).astype(np.float32)[..., None]
    for same in (images[..., None], images / 255, floats, np.asfortranarray(images), [*images]):
        np.testing.assert_allclose(network.predict_proba(same), expected, atol=1e-6)


WRONG_IMAGES = [
    (np.zeros((10, 8), np.uint8), r"shape \(10, 8\), expected \(N, 10, 9, 1\)$"),
    (np.zeros((2, 9, 10), np.uint8), r"shape \(2, 9, 10\), expected \(N, 10, 9, 1\)$"),
    (np.zeros((2, 10, 9, 3), np.uint8), r"shape \(2, 10, 9, 3\)"),
    (np.zeros((2, 10, 9), np.int64), "images are int64, expected uint8"),
    (np.full((2, 10, 9), np.nan), "not finite"),
    (np.full((2, 10, 9), -np.inf, np.float32), "not finite"),
]


@pytest.mark.parametrize(("wrong", "words"), WRONG_IMAGES)
def test_images_that_do_not_fit_are_refused(wrong, words, network):
    with pytest.raises(ShapeError, match=words):
        network.predict(wrong)


OTHER_SCALES = [
    lambda x: 255 * x,
    lambda x: 2 * x - 1,
    lambda x: (x - 0.13) / 0.31,
    lambda x: x / 255,
]


@pytest.mark.parametrize("wrong", OTHER_SCALES)
def test_floats_of_another_scale_are_not_taken_without_a_word(wrong, network, images):
    many = np.tile(images, (60, 1, 1)) / 255  # three batches, one warning
    for ask in (network.predict, network.predict_proba, network.prepare):
        with pytest.warns(UserWarning, match="expected from 0, paper, to 1, full ink: sc") as told:
            ask(wrong(many))
        assert len(told) == 1
        assert told[0].filename == __file__
    network.any_floats = True
    network.predict(wrong(many))


def test_bytes_that_are_only_0_and_1_are_not_taken_without_a_word(network, images):
    with pytest.warns(UserWarning, match="images hold uint8 from 0 to 1, but"):
        network.predict((images > 127).astype(np.uint8))
    for right in (images, np.zeros_like(images), images / 2550, images / 255 + 0.05):
        network.predict(right)


IMPOSSIBLE = [
    ([], INPUT, "a network is a list of layers"),
    ([nn.ReLU()] * 2, INPUT, "none of them twice"),
    ([nn.Flatten(), nn.Dense], INPUT, "such as ReLU.. and Dense"),
    ([nn.Conv2D(8, 5), nn.Conv2D(8, 5)], (8, 8, 1), "does not fit into a 4x4"),
    ([nn.Flatten(), nn.Dense(3)], (28, -28, 1), "whole numbers of at least 1"),
    ([nn.Flatten(), nn.Dense(3)], (28, 2.0), "whole numbers of at least 1"),
]


@pytest.mark.parametrize(("layers", "input_shape", "words"), IMPOSSIBLE)
def test_impossible_networks_are_refused(layers, input_shape, words):
    with pytest.raises(ShapeError, match=words):
        Sequential(layers, input_shape)


def test_what_was_saved_is_loaded_bit_by_bit(network, images, tmp_path):
    network.forward(network.prepare(images), training=True)  # for averages that are not 0 and 1
    network.save(tmp_path / "w.safetensors", dataset="mine")
    twin = Sequential.load(tmp_path / "w.safetensors")
    assert twin.summary() == network.summary()
    assert twin.input_shape == INPUT
    assert all(z.flags.writeable for z in twin.arrays().values())
    assert network.predict_proba(images).tobytes() == twin.predict_proba(images).tobytes()
    assert twin.description["dataset"] == "mine"
    assert twin.description["preparation"] == "grey levels / 255"


def test_saving_again_gives_the_same_bytes(network, tmp_path):
    one, two, three = (tmp_path / name for name in ("one", "two", "three"))
    network.save(one, note="x")
    build(STACK, INPUT, seed=3).save(two, note="x")
    Sequential.load(one).save(three)  # its description is kept
    assert one.read_bytes() == two.read_bytes() == three.read_bytes()


def test_a_calibration_is_not_saved_with_other_numbers_than_its_own(network, tmp_path):
    calibration = {"temperature": 1.3, "threshold": 2.0}
    network.save(tmp_path / "w", classes=[*"abcd"], calibration=calibration)
    tuned = Sequential.load(tmp_path / "w")
    tuned.layers[0].params["b"] += 0.1
    tuned.save(tmp_path / "tuned")
    description = Sequential.load(tmp_path / "tuned").description
    assert "calibration" not in description
    assert description["classes"] == [*"abcd"]
    tuned.description = {"calibration": {"temperature": 1.2}}  # of the numbers as they are now
    tuned.save(tmp_path / "tuned")
    assert Sequential.load(tmp_path / "tuned").description["calibration"] == {"temperature": 1.2}


def test_a_layer_that_would_be_read_as_another_of_its_name_is_not_saved(tmp_path):
    namesake = type("ReLU", (nn.ReLU,), {})
    with pytest.raises(WeightsError, match="its ReLU would be read as another layer"):
        Sequential([namesake(), nn.ReLU()], (2, 2, 1)).save(tmp_path / "w")
    assert not (tmp_path / "w").exists()


def test_every_kind_of_layer_comes_back(tmp_path):
    for layer, input_shape in gradcheck.LAYERS:
        Sequential([layer], input_shape).save(tmp_path / "one")
        assert repr(Sequential.load(tmp_path / "one").layers) == repr((layer,))
    assert {type(layer) for layer, _ in gradcheck.LAYERS} == {*weights.LAYERS.values()}


def test_what_would_not_be_read_is_not_written(network, tmp_path):
    network.save(tmp_path / "w")
    good, first = (tmp_path / "w").read_bytes(), network.layers[0].params
    with pytest.raises(WeightsError, match="description"):
        network.save(tmp_path / "w", note="x" * 2**20)
    first["w"][0, 1, 1, 0] = np.nan
    with pytest.raises(WeightsError, match=r"0\.w holds 1 numbers that are not finite"):
        network.save(tmp_path / "w")
    first["w"] = first["w"].astype(np.float64)
    with pytest.raises(WeightsError, match=r"0\.w is float64, expected float32"):
        network.save(tmp_path / "w")
    assert (tmp_path / "w").read_bytes() == good
