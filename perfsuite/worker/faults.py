"""Faults to plant, each in the place where the real one would happen.

They prove that the checks bite: ``perfsuite selfcheck faults`` and ``kernels`` run each of them
through the same worker, preparation and comparison as any variant.
"""

from __future__ import annotations

import dataclasses
import time
from typing import TYPE_CHECKING

import torch

from perfsuite.spec import Precision
from perfsuite.worker.fault import Fault, weight_layers
from perfsuite.worker.kernel_faults import KERNEL_FAULTS
from perfsuite.worker.timing import WINDOW_ITERATIONS

if TYPE_CHECKING:
    from perfsuite.backends.base import Answer, Forward
    from perfsuite.worker.assets import Inputs
    from perfsuite.worker.calls import Batch


class ScaledLayer(Fault):
    """The weights of one layer in mid-network, 5 % too large.

    ResNet50's is on the trunk: in one of its damped branches, 5 % is less than BF16's own rounding.
    """

    name = "layer-scaled-5-percent"

    def on_module(self, module: torch.nn.Module) -> torch.nn.Module:
        names = ("layer3.0.downsample.0", "bert.encoder.layer.3.intermediate.dense")
        for name, layer in module.named_modules():
            if name in names:
                layer.weight.mul_(1.05)
        return module


class DroppedLayer(Fault):
    """One encoder layer (of a BERT) or residual block (of a ResNet) left out."""

    name = "layer-dropped"

    def on_module(self, module: torch.nn.Module) -> torch.nn.Module:
        stacks = [child for child in module.modules() if isinstance(child, torch.nn.ModuleList | torch.nn.Sequential)]
        longest = max(stacks, key=len)
        del longest[len(longest) // 2]
        return module


class SwappedChannels(Fault):
    """Photographs read as BGR."""

    name = "channels-swapped"

    def on_inputs(self, inputs: Inputs) -> Inputs:
        swapped = tuple(tuple(part.flip(1) for part in batch) for batch in inputs.measured)
        return dataclasses.replace(inputs, measured=swapped)


class OtherInput(Fault):
    """Each output is that of the next input."""

    name = "outputs-of-another-input"

    def on_inputs(self, inputs: Inputs) -> Inputs:
        return dataclasses.replace(inputs, measured=(*inputs.measured[1:], inputs.measured[0]))


class ConstantOutput(Fault):
    """Every output is the first one."""

    name = "output-constant"

    def on_forward(self, forward: Forward) -> Forward:
        kept: list[Answer] = []

        def constant(*inputs: torch.Tensor) -> Answer:
            if not kept:
                kept.append(forward(*inputs))
            return kept[0]

        return constant


class NotANumber(Fault):
    """A single NaN in the output, in the first token: the last may be padding, which is nobody's answer."""

    name = "output-nan"

    def on_forward(self, forward: Forward) -> Forward:
        def poisoned(*inputs: torch.Tensor) -> torch.Tensor:
            output = forward(*inputs)
            assert isinstance(output, torch.Tensor)  # as of perfsuite's own models
            output = output.clone()
            output.view(-1)[0] = float("nan")
            return output

        return poisoned


class _ScaledCalibration(Fault):
    factor: float

    def on_calibration(self, inputs: Inputs) -> tuple[Batch, ...]:
        return tuple(tuple(part * self.factor for part in batch) for batch in inputs.calibration)


class WideCalibration(_ScaledCalibration):
    """Ranges observed on images 8 times too bright."""

    name = "calibration-8x-wide"
    factor = 8.0


class NarrowCalibration(_ScaledCalibration):
    """Ranges observed on images 8 times too dark."""

    name = "calibration-8x-narrow"
    factor = 1 / 8


class SilentFloat(Fault):
    """Prepared as FP32 whatever was asked for."""

    name = "silently-fp32"

    def on_precision(self, precision: Precision) -> Precision:
        return Precision.FP32


class SilentBf16(Fault):
    """Prepared as BF16 whatever was asked for."""

    name = "silently-bf16"

    def on_precision(self, precision: Precision) -> Precision:
        return Precision.BF16


class StaleArtefact(Fault):
    """The artefact was saved from other weights, and says so in its stamp."""

    name = "artefact-stale"

    def on_module(self, module: torch.nn.Module) -> torch.nn.Module:
        for layer in weight_layers(module):
            layer.weight.copy_(layer.weight.flip(0))
        return module

    def on_digest(self, weights_sha256: str) -> str:
        return weights_sha256[::-1]


class ForgedArtefact(StaleArtefact):
    """The artefact was saved from other weights under the stamp of the right ones."""

    name = "artefact-stale-forged-stamp"

    def on_digest(self, weights_sha256: str) -> str:
        return weights_sha256


class Leak(Fault):
    """A mebibyte kept at every call."""

    name = "memory-leak"

    def on_forward(self, forward: Forward) -> Forward:
        kept: list[torch.Tensor] = []

        def leaking(*inputs: torch.Tensor) -> Answer:
            kept.append(torch.ones(1 << 18))
            return forward(*inputs)

        return leaking


class LengthBakedIn(Fault):
    """What lies beyond the first call's number of tokens is not seen, as where a trace took it for a constant."""

    name = "length-baked-in"

    def on_forward(self, forward: Forward) -> Forward:
        lengths: list[int] = []

        def cut(ids: torch.Tensor, mask: torch.Tensor) -> Answer:
            lengths.append(ids.shape[1])
            seen = mask.clone()
            seen[:, lengths[0] :] = 0
            return forward(ids, seen)

        return cut


class ExtraWork(Fault):
    """Real work after each forward pass, some percent of its time: a small product, often enough.

    How often is found out by the worker itself, so that the work grows and shrinks with the speed of
    the machine as the pass does; and before it is timed, however short its warm-up is.
    """

    #: The first inference and the shortest warm-up.
    _UNTIMED_PASSES = 1 + WINDOW_ITERATIONS

    def __init__(self, percent: int) -> None:
        self.name = f"slower-{percent}-percent"
        self._share = percent / 100

    def on_forward(self, forward: Forward) -> Forward:
        matrix = torch.ones(64, 64)
        passes_ns: list[int] = []
        products = 0

        def work(count: int) -> int:
            before_ns = time.perf_counter_ns()
            for _ in range(count):
                torch.mm(matrix, matrix)
            return time.perf_counter_ns() - before_ns

        def slowed(*inputs: torch.Tensor) -> Answer:
            nonlocal products
            before_ns = time.perf_counter_ns()
            output = forward(*inputs)
            if products:
                work(products)
                return output
            passes_ns.append(time.perf_counter_ns() - before_ns)
            if len(passes_ns) == self._UNTIMED_PASSES:
                # Of both the quickest: what else runs here only makes longer, and not both by as much.
                product_ns = min(work(100) for _ in range(10)) / 100
                products = max(1, round(self._share * min(passes_ns) / product_ns))
            return output

        return slowed


FAULTS: tuple[Fault, ...] = (
    ScaledLayer(),
    DroppedLayer(),
    SwappedChannels(),
    OtherInput(),
    ConstantOutput(),
    NotANumber(),
    WideCalibration(),
    NarrowCalibration(),
    SilentFloat(),
    SilentBf16(),
    StaleArtefact(),
    ForgedArtefact(),
    *KERNEL_FAULTS,
    Leak(),
    LengthBakedIn(),
    *map(ExtraWork, (1, 2, 3, 5, 10)),
)


def find(name: str | None) -> Fault:
    """The fault of that name, or none."""
    if name is None:
        return Fault()
    return next(fault for fault in FAULTS if fault.name == name)
