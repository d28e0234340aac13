"""Faults to plant, each in the place where the real one would happen.

They prove that the checks bite: ``perfsuite selfcheck faults`` and ``kernels`` run each of them
through the same worker, preparation and comparison as any variant.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import time
from typing import TYPE_CHECKING

import torch

from perfsuite.spec import Precision
from perfsuite.worker.timing import WINDOW_ITERATIONS

if TYPE_CHECKING:
    from perfsuite.backends.base import Forward
    from perfsuite.worker.assets import Batch, Inputs


class Fault:
    """No fault; each planted one overrides the place it breaks."""

    name = "none"

    def on_stack(self) -> None:
        pass

    def on_module(self, module: torch.nn.Module) -> torch.nn.Module:
        return module

    def on_inputs(self, inputs: Inputs) -> Inputs:
        return inputs

    def on_calibration(self, inputs: Inputs) -> tuple[Batch, ...]:
        return inputs.calibration

    def on_precision(self, precision: Precision) -> Precision:
        return precision

    def on_digest(self, weights_sha256: str) -> str:
        return weights_sha256

    def on_forward(self, forward: Forward) -> Forward:
        return forward


def _weight_layers(module: torch.nn.Module) -> list[torch.nn.Conv2d | torch.nn.Linear]:
    return [layer for layer in module.modules() if isinstance(layer, torch.nn.Conv2d | torch.nn.Linear)]


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
        kept: list[torch.Tensor] = []

        def constant(*inputs: torch.Tensor) -> torch.Tensor:
            if not kept:
                kept.append(forward(*inputs))
            return kept[0]

        return constant


class NotANumber(Fault):
    """A single NaN in the output, in the first token: the last may be padding, which is nobody's answer."""

    name = "output-nan"

    def on_forward(self, forward: Forward) -> Forward:
        def poisoned(*inputs: torch.Tensor) -> torch.Tensor:
            output = forward(*inputs).clone()
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


class StaleArtefact(Fault):
    """The artefact was saved from other weights, and says so in its stamp."""

    name = "artefact-stale"

    def on_module(self, module: torch.nn.Module) -> torch.nn.Module:
        for layer in _weight_layers(module):
            layer.weight.copy_(layer.weight.flip(0))
        return module

    def on_digest(self, weights_sha256: str) -> str:
        return weights_sha256[::-1]


class ForgedArtefact(StaleArtefact):
    """The artefact was saved from other weights under the stamp of the right ones."""

    name = "artefact-stale-forged-stamp"

    def on_digest(self, weights_sha256: str) -> str:
        return weights_sha256


class QuantiserToNothing(Fault):
    """torchao's quantiser annotates no layer, as after an export that it does not understand (pt#160095)."""

    name = "quantiser-applied-to-nothing"

    def on_stack(self) -> None:
        from torchao.quantization.pt2e.quantizer import x86_inductor_quantizer

        x86_inductor_quantizer.X86InductorQuantizer.annotate = lambda _, model: model


class FusionsNotRegistered(Fault):
    """Inductor knows no INT8 patterns, so that dequantise + float is left (pt#178466)."""

    name = "int8-fusions-not-registered"

    def on_stack(self) -> None:
        from torch._inductor.fx_passes import freezing_patterns

        # Importing torchao's quantiser registers its own, so that it comes first; then out with all.
        with contextlib.suppress(ImportError):
            importlib.import_module("torchao.quantization.pt2e.quantizer.x86_inductor_quantizer")
        freezing_patterns.lazy_init()
        for matcher in freezing_patterns.pass_patterns:
            for entries in matcher.patterns.values():
                entries[:] = [entry for entry in entries if "quantization" not in _module(entry)]


class GraphBreakInside(Fault):
    """A layer in mid-network that TorchDynamo cannot trace through."""

    name = "graph-break"

    def on_module(self, module: torch.nn.Module) -> torch.nn.Module:
        layers = _weight_layers(module)
        layers[len(layers) // 2].register_forward_pre_hook(lambda *_: torch._dynamo.graph_break())
        return module


class ExtraReorder(Fault):
    """An activation in mid-network copied out of channels-last and back."""

    name = "channels-last-reorder"

    def on_module(self, module: torch.nn.Module) -> torch.nn.Module:
        def there_and_back(layer: torch.nn.Module, inputs: object, output: torch.Tensor) -> torch.Tensor:
            return output.contiguous().contiguous(memory_format=torch.channels_last)

        for name, layer in module.named_modules():
            if name == "layer1":
                layer.register_forward_hook(there_and_back)
        return module


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

        def slowed(*inputs: torch.Tensor) -> torch.Tensor:
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


def _module(pattern_entry: object) -> str:
    return str(getattr(getattr(pattern_entry, "handler", None), "__module__", ""))


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
    StaleArtefact(),
    ForgedArtefact(),
    QuantiserToNothing(),
    FusionsNotRegistered(),
    GraphBreakInside(),
    ExtraReorder(),
    *map(ExtraWork, (1, 2, 3, 5, 10)),
)


def find(name: str | None) -> Fault:
    """The fault of that name, or none."""
    if name is None:
        return Fault()
    return next(fault for fault in FAULTS if fault.name == name)
