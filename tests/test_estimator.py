"""DigitClassifier: scikit-learn's own checks, and that it is the training everybody else gets."""

import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("sklearn")

from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

import tinycnn
from tinycnn import DigitClassifier
from tinycnn.data import Dataset, load_dataset
from tinycnn.estimator import SMALLEST
from tinycnn.estimator.samples import stratified
from tinycnn.nn import Conv2D, Dense, Flatten, MaxPool2D, ReLU, get_threads
from tinycnn.train.recipe import Recipe
from tinycnn.train.trainer import Trainer

pytestmark = pytest.mark.usefixtures("one_thread")

QUICK = {"preset": "dense", "epochs": 2, "batch_size": 8, "random_state": 0}


@pytest.fixture
def easy(easy_arrays):
    """100 images (100,16,16) uint8 of three easy classes, and their names."""
    images, labels = list(easy_arrays.values())[:2]
    return images, np.array(["ant", "bee", "cat"])[labels]


def same_weights(one, other):
    return all(np.array_equal(z, other.arrays()[name]) for name, z in one.arrays().items())


@pytest.mark.filterwarnings("ignore")  # the checks provoke some
def test_scikit_learns_own_checks_pass():
    results = check_estimator(DigitClassifier(), on_skip=None)
    passed = [result for result in results if result["status"] == "passed"]
    assert len(passed) >= 50


@pytest.mark.filterwarnings("ignore:X holds negative values")
def test_it_can_be_searched_and_put_behind_a_scaler(easy):
    images, names = easy
    pipeline = make_pipeline(StandardScaler(), DigitClassifier(**QUICK))
    rates = {"digitclassifier__lr": np.array([1e-6, 0.05])}
    search = GridSearchCV(pipeline, rates, cv=2, error_score="raise")
    search.fit(images.reshape(100, 256), names)
    assert search.best_params_ == {"digitclassifier__lr": 0.05}
    assert search.best_score_ > 0.9


@pytest.mark.parametrize("augment", ["none", "mild"])
def test_weights_are_those_of_the_trainer_itself(augment):
    digits = load_dataset()
    images, labels = digits.train_images[:120], digits.train_labels[:120]
    recipe = Recipe.for_data(120, preset="tiny", epochs=1, augment=augment, seed=3)
    trainer = Trainer(recipe, Dataset("d", images, labels, images, labels, digits.class_names))
    trainer.train(lambda: False, lambda: None)
    like_the_command = {"preset": "tiny", "epochs": 1, "augment": augment, "shuffle": False}
    classifier = DigitClassifier(**like_the_command, random_state=3).fit(images, labels)
    assert same_weights(classifier.model_, trainer.best)
    assert classifier.recipe_ == recipe
    assert [record.epoch for record in classifier.history_] == [1]


def test_the_same_seed_gives_the_same_weights_for_any_number_of_threads(easy):
    fits = [DigitClassifier(**QUICK, n_jobs=jobs).fit(*easy) for jobs in (1, 2, -1)]
    other = DigitClassifier(**QUICK | {"random_state": 1}).fit(*easy)
    assert all(same_weights(fits[0].model_, fit.model_) for fit in fits)
    assert not same_weights(fits[0].model_, other.model_)
    assert get_threads() == 1


def test_rows_and_images_with_and_without_a_channel_are_the_same(easy):
    images, names = easy
    rows, channel = images.reshape(100, 256), images[..., None]
    first, cells = images[:, None], np.array([*images, None], object)[:-1, None]  # a DataFrame's
    fits = [DigitClassifier(**QUICK).fit(X, names) for X in (images, rows, channel, first, cells)]
    assert all(same_weights(fits[0].model_, fit.model_) for fit in fits)
    assert {(fit.image_shape_, fit.n_features_in_) for fit in fits} == {((16, 16), 256)}
    for X in (images, rows, channel, first, cells, rows.tolist()):
        np.testing.assert_array_equal(fits[0].predict(X), fits[0].predict(images))


def test_gray_levels_and_shares_of_ink_are_the_same_once_scale_says_which(easy):
    images, names = easy
    options = QUICK | {"augment": "mild"}
    levels = DigitClassifier(**options, scale=255).fit(images, names)
    for scale, same in ((255, images.astype(int)), (1, images / 255)):
        fitted = DigitClassifier(**options, scale=scale).fit(same, names)
        assert same_weights(levels.model_, fitted.model_)
        proba = levels.predict_proba(images)
        np.testing.assert_allclose(fitted.predict_proba(same), proba, atol=1e-5)


def test_standardized_images_are_not_learned_without_a_word(easy):
    images, names = easy
    rows = images.reshape(100, 256)
    with pytest.warns(UserWarning, match="leave out StandardScaler") as told:
        fitted = make_pipeline(StandardScaler(), DigitClassifier(**QUICK)).fit(rows, names)
    assert len(told) == 1
    fitted.predict(rows)  # as it was learned: nothing to be said
    with pytest.warns(UserWarning, match="fitted on -"):
        fitted[-1].predict(rows)


@pytest.mark.filterwarnings("error")
def test_only_images_of_another_scale_than_those_of_fit_are_read_with_a_warning(easy):
    images, names = easy
    fitted = DigitClassifier(**QUICK).fit(images, names)
    for right in (images, images[:1], images.astype(float), np.zeros((1, 16, 16)), images // 2):
        fitted.predict(right)
    for other in (images / 255, images / 127.5 - 1, images - images.mean(), images[:1] / 255):
        with pytest.warns(UserWarning, match=r"fitted on 0 to 2\d\d: give it on the same scale"):
            fitted.predict(other)
    rows = np.random.default_rng(0).lognormal(0, 4, (40, 4))
    DigitClassifier(**QUICK).fit(rows, [0, 1] * 20).predict(rows[:1] - 1)


@pytest.mark.parametrize(
    ("features", "given", "shape", "preset"),
    [
        (784, {}, (28, 28), "lenet"),
        (SMALLEST**2, {}, (SMALLEST, SMALLEST), "lenet"),
        (64, {}, (8, 8), "dense"),
        (20, {}, (1, 20), "dense"),
        (480, {"image_shape": (20, 24)}, (20, 24), "lenet"),
        (784, {"preset": "tiny"}, (28, 28), "tiny"),
    ],
)
def test_shape_and_network_follow_from_the_number_of_features(features, given, shape, preset):
    X = np.random.default_rng(0).random((8, features))
    fitted = DigitClassifier(epochs=1, random_state=0, **given).fit(X, [0, 1] * 4)
    assert fitted.image_shape_ == shape
    assert fitted.recipe_.preset == preset
    assert fitted.model_.input_shape == (*shape, 1)


def test_images_are_augmented_by_default_and_rows_and_negative_numbers_are_not(easy):
    images, names = easy
    classifier = DigitClassifier(epochs=1, random_state=0)
    assert classifier.fit(images, names).recipe_.augment == "mild"
    with pytest.warns(UserWarning, match="leave out StandardScaler"):
        assert classifier.fit(images - 9.0, names).recipe_.augment == "none"
    assert classifier.fit(images[:, 0], names).recipe_.augment == "none"


def test_more_classes_than_a_byte_has_values():
    labels = np.tile(np.arange(1000, 1300), 2)
    fitted = DigitClassifier(**QUICK).fit(np.eye(300)[labels - 1000], labels)
    assert fitted.predict(np.eye(300)[:5]).dtype == labels.dtype
    assert fitted.predict_proba(np.eye(300)).shape == (300, 300)


def test_sorted_labels_keep_every_class_on_both_sides():
    labels = np.repeat([0, 1, 2], [50, 30, 20])
    order = stratified(labels, np.random.default_rng(0))
    assert sorted(order) == list(range(100))
    assert np.bincount(labels[order[-10:]]).tolist() == [5, 3, 2]


def test_partial_fit_learns_batch_by_batch_and_goes_on_from_fit(easy):
    images, names = easy
    classifier = DigitClassifier(**QUICK, lr=0.02)
    with pytest.raises(ValueError, match="one class only"):
        classifier.partial_fit(images[:1], names[:1])
    for start in [0, 25, 50, 75] * 4:
        part = slice(start, start + 25)
        classifier.partial_fit(images[part], names[part], classes=["ant", "bee", "cat"])
    assert classifier.score(images, names) > 0.9
    assert classifier.n_iter_ == 16
    with pytest.raises(ValueError, match="'dog', which is not among the classes"):
        classifier.partial_fit(images[:2], ["ant", "dog"])
    fitted = DigitClassifier(**QUICK | {"epochs": 8}).fit(*easy)
    assert fitted.partial_fit(images[:8], names[:8]).score(images, names) > 0.9


def test_a_warm_start_goes_on_where_the_last_fit_ended(easy):
    images, names = easy
    warm = DigitClassifier(**QUICK, warm_start=True).fit(images, names)
    first = warm.history_[0].loss
    assert warm.fit(images, names).history_[0].loss < first / 2
    with pytest.raises(ValueError, match="the network turns"):
        warm.fit(images[:, :8, :8], names)


def test_early_stopping_ends_when_no_epoch_is_better(easy):
    options = QUICK | {"epochs": 50, "lr": 1e-8}
    fitted = DigitClassifier(**options, early_stopping=True, n_iter_no_change=3).fit(*easy)
    assert fitted.n_iter_ == len(fitted.history_) < 50


def test_layers_of_ones_own_are_copied_and_trained(easy):
    layers = [Conv2D(4, 3), ReLU(), MaxPool2D(2), Flatten(), Dense(3)]
    classifier = DigitClassifier(layers=layers, epochs=8, random_state=0)
    fitted = clone(classifier).fit(*easy)
    assert fitted.model_.layers[0].filters == 4
    assert not layers[0].params
    with pytest.raises(ValueError, match=r"into \(3,\), but here are \(16, 16, 1\), 2 classes"):
        classifier.fit(easy[0], np.arange(100) % 2)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"lr": -1}, "^`lr` must be a number above 0 and at most 10, not -1"),
        ({"batch_size": 99}, "^`batch_size` 99 is more than the 90 images to train on"),
        ({"validation": 0}, "^`validation` must be a share"),
        ({"scale": "255"}, '^scale must be a number above 0 or "max"'),
        ({"preset": "alexnet"}, "there is no preset 'alexnet'"),
        ({"image_shape": (3, 5)}, "^image_shape 3 x 5 does not fit X, which has 256 features"),
        ({"augment": "mild", "scale": 100}, "^augment='mild' is for values from 0 to scale, 100"),
        ({"preset": "lenet", "image_shape": (8, 32)}, "a 5x5 kernel"),
    ],
)
def test_parameters_that_make_no_sense_are_named(easy, given, words):
    images, names = easy
    with pytest.raises(ValueError, match=words):
        DigitClassifier(**QUICK | given).fit(images.reshape(100, 256), names)


def test_images_of_another_shape_or_with_colors_and_negative_weights_are_refused(easy):
    images, names = easy
    with pytest.raises(ValueError, match="images have 3 channels"):
        DigitClassifier(**QUICK).fit(np.zeros((5, 16, 16, 3)), names[:5])
    with pytest.raises(ValueError, match="image_shape 8 x 32 does not fit X"):
        DigitClassifier(**QUICK, image_shape=(8, 32)).fit(images, names)
    with pytest.raises(ValueError, match="must not be negative"):
        DigitClassifier(**QUICK).fit(images, names, -np.ones(100))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NumPy's, where nothing is compiled
def test_divergence_speaks_of_parameters_and_gives_the_threads_back(easy):
    with pytest.raises(RuntimeError, match=r"diverged in epoch 1.* try `lr` 1$"):
        DigitClassifier(**QUICK | {"lr": 10}, scale=1e-30, n_jobs=-1).fit(*easy)
    assert get_threads() == 1


def test_tinycnn_does_without_scikit_learn_until_it_is_asked_for_it():
    program = (
        "import sys; sys.modules['sklearn'] = None\n"
        "import tinycnn\nfrom tinycnn import *\n"
        "try: tinycnn.DigitClassifier\nexcept ImportError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.startswith("DigitClassifier needs scikit-learn"), done.stderr
    assert "DigitClassifier" not in tinycnn.__all__
