"""OpenVINO, where Intel's users go from ipex: a model of its own, compiled by torch.compile or saved as IR."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perfsuite.backends.base import TORCH_VARIABLES, Backend, Instrument, Recipe
from perfsuite.backends.openvino_graphs import Compiled, Traced, core, library
from perfsuite.models.base import Reads
from perfsuite.spec import Limit, Mode, Precision, Support

if TYPE_CHECKING:
    import torch

    from perfsuite.backends.base import Forward

#: Without one of these OpenVINO computes such models in FP32 (its CPU device's page on supported inference types).
_FLAGS = {
    Precision.BF16: frozenset({"avx512_bf16", "amx_bf16"}),
    Precision.FP16: frozenset({"avx512_fp16", "amx_fp16"}),
    Precision.INT8_WEIGHT_ONLY: frozenset({"avx512_bf16", "amx_bf16"}),
}
#: What multiplies activations that are quantised as they come (useDynamicQuantizationImpl, fullyconnected.cpp).
_DYNAMIC_FLAGS = frozenset({"avx512_vnni", "avx_vnni"})
#: What INT8 does not reach in models of images.
_OF_CONVOLUTIONS = {
    Precision.INT8_DYNAMIC: "OpenVINO quantises linear layers dynamically, convolutions stay float",
    Precision.INT8_WEIGHT_ONLY: "OpenVINO multiplies INT8 weights of linear layers, those of convolutions become BF16",
}


class OpenVino(Backend):
    """``ov.convert_model`` with NNCF for INT8, and the ``openvino`` compile backend."""

    name = alias = "openvino"
    packages = ("openvino", "nncf", "torch")
    variables = ("OV_", "OPENVINO_", "TBB_", *TORCH_VARIABLES)
    how_to_install = "pip install openvino==2026.4.1 nncf==3.4.0 torch==2.8.0"
    artefact_suffix = "xml"
    # Its copy of oneDNN prints lines for those of its kernels alone that it did not write itself.
    instruments = frozenset({Instrument.LAYERS, Instrument.OPERATORS, Instrument.GRAPHS})
    compiled_modes = frozenset()

    def support(
        self, reads: Reads, mode: Mode, precision: Precision, packages: Mapping[str, str], flags: Collection[str]
    ) -> Support:
        reason = self._obstacle(mode, precision, packages, frozenset(flags))
        if reason:
            return Support(reason=reason)
        caveat = _OF_CONVOLUTIONS.get(precision, "") if reads is Reads.IMAGES else ""
        return Support(limit=Limit.PARTIAL, caveat=caveat) if caveat else Support()

    def _obstacle(
        self, mode: Mode, precision: Precision, packages: Mapping[str, str], flags: frozenset[str]
    ) -> str | None:
        if self.package not in packages:
            return "openvino is not installed; `perfsuite stacks build openvino` builds a stack that has it"
        if mode is Mode.EAGER:
            return "OpenVINO compiles whole graphs: it runs no layer by itself"
        if mode is Mode.TORCHSCRIPT:
            return "OpenVINO runs a model of its own, not TorchScript; deployed is that model, saved"
        if precision in _FLAGS and not flags & _FLAGS[precision]:
            half = "FP16" if precision is Precision.FP16 else "BF16"
            return f"OpenVINO computes {half} only where the CPU has AVX512-{half} or AMX-{half}"
        if precision.is_int8 and mode is Mode.DYNAMO:
            return "NNCF quantises the model that is deployed; what torch.compile hands to OpenVINO is float"
        if precision.is_int8 and "nncf" not in packages:
            return "INT8 needs NNCF, OpenVINO's quantisation; install nncf"
        if precision is Precision.INT8_DYNAMIC and not flags & _DYNAMIC_FLAGS:
            return "OpenVINO quantises activations dynamically only where the CPU has VNNI"
        return None

    def imports(self, mode: Mode, precision: Precision) -> tuple[str, ...]:
        # OpenVINO itself is imported by each worker, in 0.2 s.
        return ("torch", "torch._inductor.compile_fx") if mode is Mode.DYNAMO else ("torch",)

    def prepare(self, recipe: Recipe) -> Forward:
        return Traced(recipe.module, recipe.precision)

    def save(self, recipe: Recipe, path: Path) -> Forward:
        model = _converted(recipe)
        # FP16 weights, its default, would be another model than the one that is compared.
        library().save_model(model, str(path), compress_to_fp16=False)
        return Compiled(model, recipe.precision)

    def load(self, path: Path, recipe: Recipe) -> Forward:
        return Compiled(core().read_model(str(path)), recipe.precision)

    def artefact_files(self, path: Path) -> tuple[Path, ...]:
        return path, path.with_suffix(".bin")

    def arrange(self, batch: tuple[torch.Tensor, ...], reads: Reads) -> tuple[torch.Tensor, ...]:
        """As they are: OpenVINO takes arrays in C order, and lays them out itself."""
        return batch

    def layers(self, forward: Forward, inputs: tuple[torch.Tensor, ...], *, passes: int) -> dict[str, Any]:
        assert isinstance(forward, Compiled | Traced)
        return forward.layers(inputs, passes=passes)


def _converted(recipe: Recipe) -> Any:
    """OpenVINO's model, of the shapes that there are: of unknown ones BERT in BF16 takes 1.1 times as long."""
    model = library().convert_model(recipe.module, example_input=recipe.example, input=_shapes(recipe))
    if not recipe.precision.is_int8:
        return model
    import nncf

    if recipe.precision is not Precision.INT8_STATIC:
        return nncf.compress_weights(model)
    arrays = [tuple(part.numpy() for part in batch) for batch in recipe.calibration]
    # Without NNCF's SmoothQuant, its default for transformers, seeded BERT keeps 25 dB, with it 17 (measured, smoke).
    unsmoothed = nncf.AdvancedSmoothQuantParameters(matmul=-1)
    return nncf.quantize(
        model,
        nncf.Dataset(arrays),
        subset_size=len(arrays),
        model_type=nncf.ModelType.TRANSFORMER if recipe.reads is Reads.TEXT else None,
        advanced_parameters=nncf.AdvancedQuantizationParameters(smooth_quant_alphas=unsmoothed),
    )


def _shapes(recipe: Recipe) -> list[list[int]]:
    """Of each input; -1 is a size that differs between the batches of a workload of several shapes."""
    batches = (recipe.example, *recipe.calibration)
    shapes = [[part.shape for part in parts] for parts in zip(*batches, strict=True)]
    return [[sizes[0] if len({*sizes}) == 1 else -1 for sizes in zip(*part, strict=True)] for part in shapes]
