"""PyTorch in the variants that it offers: channels last or first, eager and compiled."""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
import torch._dynamo.config
import torch._inductor.config
from torch import nn
from torch.nn import functional

from benchmarks.speed.peers import Predictor
from benchmarks.speed.workload import MOMENTUM, PLAIN, Network, Training, Weights, shapes


def configure(threads: int) -> None:
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    torch._dynamo.config.cache_size_limit = 64  # beyond its 8 compilations it gives up silently


def versions() -> dict[str, str]:
    return {"PyTorch": torch.__version__}


class Scale(nn.Module):
    """From uint8 (N,28,28) to float32 (N,1,28,28), gray levels 0 to 1."""

    def __init__(self, layout: torch.memory_format) -> None:
        super().__init__()
        self.layout = layout

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        x = images.unsqueeze(1).to(torch.float32).mul_(1 / 255)
        return x.contiguous(memory_format=self.layout)


class FlattenHWC(nn.Module):
    """In tinycnn's order, which costs no copy when channels are last."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.permute(0, 2, 3, 1).flatten(1)


def _build(network: Network, weights: Weights, channels_last: bool) -> nn.Sequential:
    layout = torch.channels_last if channels_last else torch.contiguous_format
    modules = [
        _module(kind, sizes, before)
        for (kind, *sizes), before in zip(network, shapes(network), strict=False)
    ]
    for index, module in enumerate(modules):
        if f"{index}.w" in weights:
            _fill(module, weights[f"{index}.w"], weights[f"{index}.b"])
    return nn.Sequential(Scale(layout), *modules).to(memory_format=layout)


def _module(kind: str, sizes: list[int], before: tuple[int, ...]) -> nn.Module:
    match kind:
        case "conv":
            return nn.Conv2d(before[-1], *sizes)
        case "pool":
            return nn.MaxPool2d(sizes[0])
        case "norm" if len(before) == 3:
            return nn.BatchNorm2d(before[-1])
        case "norm":
            return nn.BatchNorm1d(before[0])
        case "flatten":
            return FlattenHWC()
        case "dense":
            return nn.Linear(before[0], sizes[0])
        case _:
            return nn.ReLU()


def _fill(module: nn.Module, w: np.ndarray, b: np.ndarray) -> None:
    turned = w.transpose(0, 3, 1, 2) if w.ndim == 4 else w.T  # of a norm, as it is
    with torch.no_grad():
        module.weight.copy_(torch.from_numpy(turned.copy()))
        module.bias.copy_(torch.from_numpy(b))


def _distorted(images: torch.Tensor, limits: Mapping[str, float] | None) -> torch.Tensor:
    """Distort images (N,28,28) uint8 within ``limits``: one affine grid, one smooth random field.

    Coordinates are x, y from -1 to 1. A fifth of the images stay as they are, as tinycnn's do.
    """
    if not limits:
        return images
    N, size = len(images), images.shape[-1]

    def within(most: float, *shape: int) -> torch.Tensor:
        return (2 * torch.rand(N, *shape) - 1) * most

    angle, slant = (within(math.radians(limits[z])) for z in ("rotation", "slant"))
    scale = (1 + within(limits["scale"], 1)) * (1 + within(limits["stretch"], 2))
    cos, sin = torch.cos(angle), torch.sin(angle)
    turn = torch.stack([cos, -sin, sin, cos], 1).view(N, 2, 2)
    lean = torch.eye(2).repeat(N, 1, 1)
    lean[:, 0, 1] = torch.tan(slant)
    shift = within(limits["shift"] * 2 / size, 2, 1)
    moved = (torch.rand(N) >= 0.2).to(torch.float32).view(N, 1, 1)
    affine = torch.cat([turn @ lean * scale[:, None], shift], 2)
    affine = torch.lerp(torch.eye(2, 3).expand(N, 2, 3), affine, moved)
    # In units of 2 / size; tinycnn's splines halve the moves of their nodes, 7 pixels apart.
    nodes = torch.randn(N, 2, 5, 5) * (limits["elastic"] / size) * moved[..., None]
    field = functional.interpolate(nodes, (size, size), mode="bicubic").permute(0, 2, 3, 1)
    x = images.unsqueeze(1).to(torch.float32)
    grid = functional.affine_grid(affine, list(x.shape), align_corners=False)
    return functional.grid_sample(x, grid + field, align_corners=False).squeeze(1)


class TorchTrainer:
    """The usual training step, with the fused optimizer."""

    def __init__(
        self,
        network: Network,
        weights: Weights,
        lr: float,
        training: Training = PLAIN,
        channels_last: bool = False,
        compiled: bool = False,
    ) -> None:
        torch.manual_seed(training.seed)
        distort = partial(_distorted, limits=training.limits)
        self.distorted = torch.compile(distort, dynamic=False) if compiled else distort
        self.model = _build(network, weights, channels_last)
        given = {"momentum": MOMENTUM, "weight_decay": training.decay, "fused": True}
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr, **given)
        self.loss = torch.compile(self._loss, dynamic=False) if compiled else self._loss

    def _loss(self, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return functional.cross_entropy(self.model(images), labels)

    def batch(self, images: np.ndarray, labels: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.from_numpy(images), torch.from_numpy(labels)

    def step(self, batch: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        loss = self.loss(*batch)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    def augmented(self, images: np.ndarray) -> np.ndarray:
        return self.distorted(torch.from_numpy(images)).numpy()

    def epoch(self, images: np.ndarray, labels: np.ndarray, rates: Sequence[float]) -> float:
        (digits, classes), losses = self.batch(images, labels), []
        parts = torch.randperm(len(images)).split(len(images) // len(rates))
        for rate, chosen in zip(rates, parts, strict=False):
            self.set_learning_rate(rate)
            losses.append(self.step((self.distorted(digits[chosen]), classes[chosen])))
        return float(torch.stack(losses).mean())

    def set_learning_rate(self, lr: float) -> None:
        self.optimizer.param_groups[0]["lr"] = lr

    def weights(self) -> Weights:
        found = {}
        for index, module in enumerate(self.model[1:]):
            if list(module.parameters()):
                w = module.weight.detach().numpy()
                found[f"{index}.w"] = (w.transpose(0, 2, 3, 1) if w.ndim == 4 else w.T).copy()
                found[f"{index}.b"] = module.bias.detach().numpy().copy()
        return found

    def predict(self, images: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return self.model(torch.from_numpy(images)).argmax(1).numpy()


def _classifier(network: Network, weights: Weights, channels_last: bool) -> nn.Module:
    model = _build(network, weights, channels_last)
    return nn.Sequential(*model, nn.Softmax(1)).eval()


def _predictor(call: Callable) -> Predictor:
    @torch.inference_mode()
    def predict(images: np.ndarray) -> np.ndarray:
        return call(torch.from_numpy(images)).numpy()

    return predict


def _eager(network: Network, weights: Weights, folder: Path, channels_last: bool) -> Predictor:
    return _predictor(_classifier(network, weights, channels_last))


def _compiled(network: Network, weights: Weights, folder: Path, channels_last: bool) -> Predictor:
    """With all that ``torch.compile`` offers: weights frozen, kernels tuned, calls from C++."""
    torch._inductor.config.freezing = True
    torch._inductor.config.cpp_wrapper = True
    model = _classifier(network, weights, channels_last)
    return _predictor(torch.compile(model, mode="max-autotune", dynamic=False))


TRAINERS = {
    "eager, channels last": partial(TorchTrainer, channels_last=True, compiled=False),
    "eager": partial(TorchTrainer, channels_last=False, compiled=False),
    "compiled, channels last": partial(TorchTrainer, channels_last=True, compiled=True),
    "compiled": partial(TorchTrainer, channels_last=False, compiled=True),
}

PREDICTORS = {
    "compiled, channels last": partial(_compiled, channels_last=True),
    "compiled": partial(_compiled, channels_last=False),
    "eager, channels last": partial(_eager, channels_last=True),
    "eager": partial(_eager, channels_last=False),
}
