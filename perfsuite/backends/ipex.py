"""Intel Extension for PyTorch, prepared as its published inference examples do."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perfsuite.backends.base import (
    TORCH_VARIABLES,
    Advice,
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
from perfsuite.spec import Limit, Mode, Precision, Support

if TYPE_CHECKING:
    import torch

    from perfsuite.backends.base import Forward

_PACKAGE = "intel-extension-for-pytorch"
#: The (model, mode, precision) of every script in ipex's examples/cpu/inference/python folder.
_PUBLISHED = frozenset(
    {(model, mode, precision)
     for model in ("resnet50", "bert-base")
     for mode in (Mode.EAGER, Mode.DYNAMO, Mode.TORCHSCRIPT)
     for precision in (Precision.FP32, Precision.BF16)}
    | {
        ("resnet50", Mode.TORCHSCRIPT, Precision.INT8_STATIC),
        ("resnet50", Mode.DEPLOYED, Precision.INT8_STATIC),
        ("bert-base", Mode.TORCHSCRIPT, Precision.INT8_DYNAMIC),
    }
)  # fmt: skip


#: ipex.optimize's own conditions.
_UNPACKED = {
    Precision.BF16: "ipex packs BF16 weights only where the CPU has AVX-512 or AVX-NE-CONVERT",
    Precision.FP16: "ipex packs FP16 weights only where the CPU has AVX512-FP16 or AVX-NE-CONVERT",
}
#: torchao 0.14 has no ``mkl_sgemm_prepack`` of its tensors, which ipex 2.8 calls.
_WEIGHT_ONLY = "ipex.optimize cannot pack torchao's INT8 weights; ipex's own, which it has for LLMs, are not run here"


class Ipex(Backend):
    """``ipex.optimize``, the ``ipex`` compile backend, and LLGA-fused TorchScript for INT8."""

    name = alias = "ipex"
    packages = (_PACKAGE, "torch")
    variables = ("IPEX_", "LIBXSMM_", *TORCH_VARIABLES)
    how_to_install = f"pip install torch==2.8.0 {_PACKAGE}==2.8.0 (the last release)"
    artefact_suffix = "pt"
    instruments = frozenset({Instrument.LINES, Instrument.OPERATORS, Instrument.GRAPHS})
    compiled_modes = frozenset({Mode.DYNAMO})
    published = _PUBLISHED

    def advice(self, error: str, *, version: str | None, torch: str | None) -> Advice:
        needed, present = _minor(version), _minor(torch)
        if needed and present and needed != present:
            # ipex itself then fails with an error that does not say so.
            return Advice(
                why=f"it needs torch {needed}, and this is {torch} ({error})", remedy=f"pip install 'torch=={needed}.*'"
            )
        if "pkg_resources" in error:
            return Advice(why=error, remedy="pip install 'setuptools<81' (ipex 2.6 and 2.7 import pkg_resources)")
        return super().advice(error, version=version, torch=torch)

    def support(
        self, reads: Reads, mode: Mode, precision: Precision, packages: Mapping[str, str], flags: Collection[str]
    ) -> Support:
        if _PACKAGE not in packages:
            return Support(reason=f"{_PACKAGE} is not installed; install perfsuite[ipex]")
        if precision is Precision.INT8_WEIGHT_ONLY:
            return Support(reason=_WEIGHT_ONLY)
        if not multiplies(precision, flags):
            if mode is Mode.DYNAMO:
                return emulated(precision)
            return Support(reason=_UNPACKED[precision])
        if precision is Precision.INT8_STATIC and mode in (Mode.EAGER, Mode.DYNAMO):
            if mode is Mode.DYNAMO and packages[_PACKAGE].startswith(("2.6.", "2.7.")):
                return Support(reason="static INT8 under dynamo raises InternalTorchDynamoError before ipex 2.8")
            return Support(
                limit=Limit.SIMULATED,
                caveat="float kernels between quantise and dequantise; only TorchScript fuses static INT8",
            )
        if precision is Precision.INT8_DYNAMIC and reads is Reads.IMAGES:
            return Support(
                limit=Limit.PARTIAL, caveat="ipex quantises linear layers dynamically, convolutions stay float"
            )
        return Support()

    def imports(self, mode: Mode, precision: Precision) -> tuple[str, ...]:
        return ("intel_extension_for_pytorch.quantization", "torch._inductor.compile_fx")

    def prepare(self, recipe: Recipe) -> Forward:
        module = self._optimised(recipe)
        if recipe.mode is Mode.DYNAMO:
            import torch

            module = torch.compile(module, backend="ipex")
        elif recipe.mode is Mode.TORCHSCRIPT:
            module = self._scripted(module, recipe)
        return under_autocast(module, recipe.precision)

    def save(self, recipe: Recipe, path: Path) -> Forward:
        scripted = self._scripted(self._optimised(recipe), recipe)
        scripted.save(str(path))
        return under_autocast(scripted, recipe.precision)

    def load(self, path: Path, recipe: Recipe) -> Forward:
        import intel_extension_for_pytorch  # noqa: F401  registers the operators that artefacts are made of
        import torch

        loaded = torch.jit.freeze(torch.jit.load(str(path)).eval())  # type: ignore[no-untyped-call]
        return under_autocast(loaded, recipe.precision)

    @contextmanager
    def speaking(self) -> Iterator[None]:
        # Importing ipex makes torch's own switch work on both copies of oneDNN. Of MKL it carries a
        # copy as well, which torch's switch does not reach for prepacked weights, and no public one does.
        import intel_extension_for_pytorch as ipex

        library = ctypes.CDLL(str(Path(ipex.__file__).parent / "lib" / "libintel-ext-pt-cpu.so"))
        switch = getattr(library, "mkl_serv_verbose", None)
        with super().speaking():
            if switch is not None:
                switch(1)
            try:
                yield
            finally:
                if switch is not None:
                    switch(0)

    def _optimised(self, recipe: Recipe) -> Any:
        import intel_extension_for_pytorch as ipex
        import torch

        module = laid_out(recipe)
        if recipe.precision.is_int8:
            return self._quantised(module, recipe)
        return ipex.optimize(
            module,
            dtype={Precision.BF16: torch.bfloat16, Precision.FP16: torch.float16}.get(recipe.precision, torch.float32),
            # The published dynamo examples leave prepacking to the compiler.
            weights_prepack=recipe.mode is not Mode.DYNAMO,
        )

    def _quantised(self, module: torch.nn.Module, recipe: Recipe) -> Any:
        from intel_extension_for_pytorch import quantization

        if recipe.precision is Precision.INT8_STATIC:
            mapping = quantization.default_static_qconfig_mapping
        else:
            mapping = quantization.default_dynamic_qconfig_mapping
        prepared = quantization.prepare(module, mapping, example_inputs=recipe.example, inplace=True)
        if recipe.precision is Precision.INT8_STATIC:
            calibrate(
                prepared,
                recipe,
                read=lambda kept: prepared.load_qconf_summary(str(kept)),
                write=lambda kept: prepared.save_qconf_summary(str(kept)),
            )
        return quantization.convert(prepared, inplace=True)

    def _scripted(self, module: Any, recipe: Recipe) -> Any:
        import torch

        frozen = torch.jit.freeze(traced(module, recipe))
        # The profiling executor specialises and fuses (LLGA) in the first two calls.
        forward = under_autocast(frozen, recipe.precision)
        for _ in range(2):
            forward(*recipe.example)
        return frozen


def _minor(version: str | None) -> str:
    found = re.match(r"\d+\.\d+", version or "")
    return found.group() if found else ""
