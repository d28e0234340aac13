"""Faults of what a stack runs: kernels, fusions and graphs that are lost while the outputs stay right."""

from __future__ import annotations

import contextlib
import importlib

import torch

from perfsuite.worker.fault import Fault, weight_layers


class QuantiserToNothing(Fault):
    """torchao's quantiser annotates no layer, as after an export that it does not understand (pt#160095)."""

    name = "quantiser-applied-to-nothing"

    def on_stack(self) -> None:
        from torchao.quantization.pt2e.quantizer import x86_inductor_quantizer

        x86_inductor_quantizer.X86InductorQuantizer.annotate = lambda _, model: model


class WeightsLeftFloat(Fault):
    """torchao's ``quantize_`` finds no layer to quantise, as by a filter that fits none."""

    name = "weights-left-float"

    def on_stack(self) -> None:
        import torchao.quantization

        torchao.quantization.quantize_ = lambda module, config: None


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
        layers = weight_layers(module)
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


def _module(pattern_entry: object) -> str:
    return str(getattr(getattr(pattern_entry, "handler", None), "__module__", ""))


KERNEL_FAULTS: tuple[Fault, ...] = (
    QuantiserToNothing(),
    WeightsLeftFloat(),
    FusionsNotRegistered(),
    GraphBreakInside(),
    ExtraReorder(),
)
