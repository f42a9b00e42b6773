"""Training steps that are repeated give what the same steps give when all layers are called."""

import numpy as np
import pytest

from tinycnn.kernels.jit import CHECKED, UNCOMPILED
from tinycnn.nn import SGD, Adam, Dense, Dropout, ReLU, Sequential, reference
from tinycnn.nn.repeats import Repeats, Updates
from tinycnn.nn.text import layers_of

STACK = "Conv2D(30, 3) ReLU MaxPool2D BatchNorm Conv2D(5, 2) MaxPool2D Flatten"


class OwnDense(Dense):
    """A user's layer, which may do more than its loops."""


@pytest.mark.parametrize("layer", [Dense, OwnDense])
def test_layers_are_called_for_the_first_batch_of_a_shape_only_or_always_if_one_is_the_users(
    layer, monkeypatch
):
    calls, forward = [], Dense.forward
    monkeypatch.setattr(Dense, "forward", lambda *given: calls.append(1) or forward(*given))
    model = Sequential([layer(3)], (5,))
    optimizer = SGD(model, 0.1)
    for count in (4, 4, 2, 4, 2):
        model.backward(model.forward(np.ones((count, 5), np.float32), training=True))
        optimizer.step()
    assert len(calls) == (5 if CHECKED or UNCOMPILED or layer is OwnDense else 2)


CHANGES = {
    "in place": lambda first, norm, *_: first.params["w"].fill(0.5),
    "replaced": lambda first, *_: first.params.update(b=np.ones(30, np.float32)),
    "frozen": lambda first, norm, *_: setattr(norm, "inference", True),
    "other operations": lambda first, norm, *_: setattr(norm, "ops", reference),
    "another x": lambda *layers: layers[-1].forward(np.ones((2, 4), np.float32), training=True),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("kind", [SGD, Adam])
def test_repeated_steps_give_the_bytes_of_steps_that_call_all_layers(change, kind):
    stacks = [[*layers_of(STACK), Dropout(0.5), Dense(4), ReLU(), Dense(4)] for _ in range(2)]
    twins = [Sequential(layers, (17, 15, 1)) for layers in stacks]
    optimizers, rng, held = [kind(model, 0.01) for model in twins], np.random.default_rng(0), []
    for step, count in enumerate((5, 5, 5, 2, 5, 2, 5, 5, 20, 5, 5)):
        images = rng.integers(0, 256, (count, 17, 15), dtype=np.uint8)
        twins[1].repeats, optimizers[1].updates = Repeats(), Updates()  # nothing to repeat
        for model, optimizer in zip(twins, optimizers, strict=True):
            model.draw_from(np.random.default_rng(step))
            optimizer.lr /= 1 + step
            p = model.forward(model.prepare(images), training=True)
            if step == 5:
                change(model.layers[0], *model.layers[3:])
            model.backward(p - np.eye(4, dtype=np.float32)[np.arange(count) % 4])
            optimizer.step()
        ours, theirs = ([*model.gradients(), *model.arrays().values()] for model in twins)
        assert [z.tobytes() for z in ours] == [z.tobytes() for z in theirs]
        held += [(z, z.copy()) for z in twins[0].gradients()[step::4]]
        del ours, theirs
    assert all(np.array_equal(*pair) for pair in held), "an array in use elsewhere has changed"
