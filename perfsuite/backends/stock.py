"""PyTorch alone: channels-last, autocast, Inductor with freezing, and torchao's pt2e INT8."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perfsuite.backends.base import (
    TORCH_VARIABLES,
    Backend,
    Instrument,
    Recipe,
    calibrate,
    emulated,
    laid_out,
    multiplies,
    traced,
    under_autocast,
)
from perfsuite.models.base import Reads
from perfsuite.spec import REFERENCE_BACKEND, Limit, Mode, Precision, Support

if TYPE_CHECKING:
    import torch

    from perfsuite.backends.base import Forward

_QUANTISER = "torchao.quantization.pt2e.quantizer.x86_inductor_quantizer"


class Stock(Backend):
    """What remains when ipex is gone."""

    name = REFERENCE_BACKEND
    alias = "torch"
    packages = ("torch", "torchao", "triton")
    variables = TORCH_VARIABLES
    how_to_install = "pip install torch"
    artefact_suffix = "pt2"
    instruments = frozenset({Instrument.LINES, Instrument.OPERATORS, Instrument.GRAPHS})
    compiled_modes = frozenset({Mode.DYNAMO, Mode.DEPLOYED})

    def support(
        self, reads: Reads, mode: Mode, precision: Precision, packages: Mapping[str, str], flags: Collection[str]
    ) -> Support:
        if "torch" not in packages:
            return Support(reason="torch is not installed; install perfsuite[ipex] or perfsuite[stock]")
        if not precision.is_int8:
            return Support() if multiplies(precision, flags) else emulated(precision)
        if "torchao" not in packages:
            return Support(reason="INT8 needs torchao's quantisation; install torchao")
        if precision is Precision.INT8_WEIGHT_ONLY:
            return _weight_only(reads, mode)
        if mode is Mode.TORCHSCRIPT:
            return Support(reason="torchao's INT8 is lowered by Inductor alone; TorchScript has no INT8 path")
        if mode is Mode.EAGER:
            return Support(
                limit=Limit.SIMULATED, caveat="float kernels between quantise and dequantise; only Inductor fuses INT8"
            )
        if precision is Precision.INT8_DYNAMIC and reads is Reads.IMAGES:
            return Support(limit=Limit.SIMULATED, caveat="Inductor has no dynamic INT8 convolution, only linear")
        return Support()

    def imports(self, mode: Mode, precision: Precision) -> tuple[str, ...]:
        names = ["torch"]
        if mode in self.compiled_modes or precision.is_int8:
            names.append("torch._inductor.compile_fx")
        if precision is Precision.INT8_WEIGHT_ONLY:
            names.append("torchao.quantization")
        elif precision.is_int8:
            names.append(_QUANTISER)
        return tuple(names)

    def prepare(self, recipe: Recipe) -> Forward:
        import torch

        module = self._in_precision(recipe)
        if recipe.mode is Mode.DYNAMO:
            module = _compiled(module)
        elif recipe.mode is Mode.TORCHSCRIPT:
            module = torch.jit.freeze(traced(module, recipe))
        return under_autocast(module, recipe.precision)

    def save(self, recipe: Recipe, path: Path) -> Forward:
        import torch

        module = self._in_precision(recipe)
        program = _exported(module, recipe)
        torch.export.save(program, path)
        return under_autocast(_compiled(program.module()), recipe.precision)

    def load(self, path: Path, recipe: Recipe) -> Forward:
        import torch

        if recipe.precision in (Precision.INT8_STATIC, Precision.INT8_DYNAMIC):
            # Registers the INT8 fusions; without it the program runs as dequantise + float (pt#178466).
            _quantiser()
        return under_autocast(_compiled(torch.export.load(path).module()), recipe.precision)

    def _in_precision(self, recipe: Recipe) -> Any:
        if recipe.precision is Precision.INT8_WEIGHT_ONLY:
            return self._of_int8_weights(recipe)
        return self._quantised(recipe) if recipe.precision.is_int8 else laid_out(recipe)

    def _of_int8_weights(self, recipe: Recipe) -> torch.nn.Module:
        import torch
        from torchao.quantization import Int8WeightOnlyConfig, quantize_
        from torchao.utils import unwrap_tensor_subclass

        module = laid_out(recipe)
        # By default it also has Inductor search for better tilings, which no other precision gets.
        quantize_(module, Int8WeightOnlyConfig(set_inductor_config=False))
        if recipe.mode is Mode.DYNAMO:  # what fuses them
            for part in module.modules():
                if isinstance(part, torch.nn.Linear):
                    part.register_forward_pre_hook(_as_bf16)
        if recipe.mode is Mode.DEPLOYED:  # torch.export takes no tensor subclasses
            unwrap_tensor_subclass(module)
        return module

    def _quantised(self, recipe: Recipe) -> torch.nn.Module:
        import torch
        from torchao.quantization.pt2e import move_exported_model_to_eval
        from torchao.quantization.pt2e.observer import get_observer_state_dict, load_observer_state_dict
        from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

        x86 = _quantiser()
        config = x86.get_default_x86_inductor_quantization_config(is_dynamic=recipe.precision is Precision.INT8_DYNAMIC)
        # strict: the default export of torch 2.8 leaves nothing quantised (pt#160095).
        exported = _exported(laid_out(recipe), recipe).module()
        observed = prepare_pt2e(exported, x86.X86InductorQuantizer().set_global(config))
        # A dynamic range needs no data, but one call makes the observers known.
        calibrate(
            observed,
            recipe,
            read=lambda kept: load_observer_state_dict(observed, torch.load(kept)),
            write=lambda kept: torch.save(get_observer_state_dict(observed), kept),
        )
        converted: torch.nn.Module = convert_pt2e(observed)
        move_exported_model_to_eval(converted)
        return converted


def _as_bf16(_: torch.nn.Module, inputs: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
    """A layer's inputs as autocast hands them to its product; torchao's code runs before that.

    torchao 0.18 turns weights into the type of the inputs, which is FP32 behind a normalisation, and autocast those
    into BF16. Freezing folds what is not from INT8 to BF16 at once, and Inductor then finds no INT8 weights to multiply
    with (torch 2.14, _inductor/constant_folding.py: is_woq_int8_pattern): of MiniLM's 36 linear layers it fused 6.
    """
    import torch

    return tuple(one.to(torch.bfloat16) for one in inputs)


def _weight_only(reads: Reads, mode: Mode) -> Support:
    if reads is Reads.IMAGES:
        return Support(limit=Limit.PARTIAL, caveat="torchao takes the weights of linear layers, not of convolutions")
    if mode is Mode.DYNAMO:
        return Support()
    return Support(
        limit=Limit.SIMULATED, caveat="weights become BF16 before they are multiplied; only dynamo fuses that"
    )


def _exported(module: torch.nn.Module, recipe: Recipe) -> torch.export.ExportedProgram:
    """For all the shapes that calls have; strictly, for the default export of torch 2.8 leaves nothing quantised."""
    import torch

    shapes: Any = None
    if any(recipe.varying):
        shapes = tuple(dict.fromkeys(dims, torch.export.Dim.AUTO) for dims in recipe.varying)
        if any(one.kind is one.VAR_POSITIONAL for one in inspect.signature(module.forward).parameters.values()):
            shapes = (shapes,)
    return torch.export.export(module, recipe.example, dynamic_shapes=shapes, strict=True)


def _quantiser() -> Any:
    return importlib.import_module(_QUANTISER)


def _compiled(module: Any) -> Any:
    """Inductor, with weights folded into the graph: the counterpart of ipex's prepacking."""
    import torch
    import torch._inductor.config

    torch._inductor.config.freezing = True
    return torch.compile(module)
