"""What a backend must do. Imports no torch: support is listed without it."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from perfsuite.models.base import Reads
from perfsuite.spec import Limit, Mode, Precision, Support

T = TypeVar("T")

if TYPE_CHECKING:
    import torch

    Answer = torch.Tensor | tuple[torch.Tensor, ...]
    Forward = Callable[..., Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One module to prepare, its mode and precision, and the data that preparing it needs.

    ``module`` takes tensors one after the other and returns one or a tuple of them; ``example`` and each
    ``calibration`` entry are the arguments of one call.
    ``calibrated`` is where a backend that can may keep what calibrating found: it reads the file if
    it is there, else it writes it. ``varying`` are the dimensions, of each argument, in which calls differ from the
    example; there is none where all calls are of one shape.
    """

    module: torch.nn.Module
    reads: Reads
    mode: Mode
    precision: Precision
    example: tuple[torch.Tensor, ...]
    calibration: tuple[tuple[torch.Tensor, ...], ...]
    calibrated: Path | None = None
    varying: tuple[tuple[int, ...], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """Why a package that is installed does not import, and what to do."""

    why: str
    remedy: str


class Instrument(StrEnum):
    """What can be seen of a backend's forward pass; each is one way of observing it."""

    #: oneDNN's and MKL's own lines, by ``Backend.speaking``.
    LINES = "lines"
    #: torch.profiler's operators.
    OPERATORS = "operators"
    #: What TorchDynamo compiled, and where it broke.
    GRAPHS = "graphs"
    #: The backend's own profile, by ``Backend.layers``.
    LAYERS = "layers"


class Backend(ABC):
    """What a backend is, and how it turns a module into something to call.

    Its name, and so all of its variants, its packages, variables and files are asked of it alone. Each method that
    needs torch imports it itself.
    """

    name: ClassVar[str]
    #: What the first of its packages is called in stacks' slugs and by the probe.
    alias: ClassVar[str]
    #: The distributions that decide what its forward pass runs; without the first it is not there.
    packages: ClassVar[tuple[str, ...]]
    #: How the names of the variables begin that decide its speed.
    variables: ClassVar[tuple[str, ...]]
    #: What a user types to have it.
    how_to_install: ClassVar[str]
    #: The ending of the file that a deployed variant loads.
    artefact_suffix: ClassVar[str]
    instruments: ClassVar[frozenset[Instrument]]
    #: The modes that Inductor compiles.
    compiled_modes: ClassVar[frozenset[Mode]]
    #: The (model, mode, precision) of its publisher's example scripts.
    published: ClassVar[frozenset[tuple[str, Mode, Precision]]] = frozenset()

    @property
    def package(self) -> str:
        """The distribution without which it is not there."""
        return self.packages[0]

    def advice(self, error: str, *, version: str | None, torch: str | None) -> Advice:
        """What to do where its package, of this version beside this torch, does not import."""
        return Advice(why=error, remedy=f"pip install --force-reinstall --no-deps {self.package}=={version}")

    @abstractmethod
    def support(
        self, reads: Reads, mode: Mode, precision: Precision, packages: Mapping[str, str], flags: Collection[str]
    ) -> Support:
        """Whether the stack of these packages (name -> version) can run it on a CPU with these flags."""

    @abstractmethod
    def imports(self, mode: Mode, precision: Precision) -> tuple[str, ...]:
        """The modules that preparing imports: launchers import them once for all their workers."""

    @abstractmethod
    def prepare(self, recipe: Recipe) -> Forward:
        """A callable of the model's inputs; called under ``torch.no_grad``."""

    @abstractmethod
    def save(self, recipe: Recipe, path: Path) -> Forward:
        """Prepare for deployment, write the artefact, and return what the artefact runs."""

    @abstractmethod
    def load(self, path: Path, recipe: Recipe) -> Forward:
        """What a fresh process gets from the artefact; must not read ``recipe.module``."""

    @contextmanager
    def speaking(self) -> Iterator[None]:
        """While inside, oneDNN and MKL print a line to standard output for each kernel they run."""
        from torch.backends import mkl, mkldnn

        with mkldnn.verbose(mkldnn.VERBOSE_ON), mkl.verbose(mkl.VERBOSE_ON):  # type: ignore[no-untyped-call]
            yield

    def artefact_files(self, path: Path) -> tuple[Path, ...]:
        """The files that an artefact of this path is made of."""
        return (path,)

    def layers(self, forward: Forward, inputs: tuple[torch.Tensor, ...], *, passes: int) -> dict[str, Any]:
        """What its own profile says of passes of what it prepared, in the form that its reader in ``evidence`` takes.

        Asked only of those whose ``instruments`` have LAYERS. Counters may stay on: nothing may be timed afterwards.
        """
        raise AssertionError(f"{self.name}: its instruments have no LAYERS")

    def arrange(self, batch: tuple[torch.Tensor, ...], reads: Reads) -> tuple[torch.Tensor, ...]:
        """Lay inputs out as the backend wants them: images channels-last, all else as it is."""
        import torch

        if reads is not Reads.IMAGES:
            return batch
        return tuple(part.contiguous(memory_format=torch.channels_last) if part.dim() == 4 else part for part in batch)


#: Of PyTorch, and of the libraries that its operators call.
TORCH_VARIABLES = ("TORCH", "PYTORCH_", "ATEN_", "ONEDNN_", "DNNL_", "MKL_", "LRU_CACHE_CAPACITY")

#: What ipex 2.6 to 2.8 ask of a CPU before they pack BF16 weights (ipex.optimize's own message); oneDNN
#: has no BF16 convolution or product for less either.
_BF16_FLAGS = (frozenset({"avx512bw", "avx512vl", "avx512dq"}), frozenset({"avx_ne_convert"}))
#: The same of FP16: oneDNN's guide, "Data types"; ipex.optimize asks oneDNN.
_FP16_FLAGS = (frozenset({"avx512_fp16"}), frozenset({"avx_ne_convert"}))
_FLAGS = {Precision.BF16: _BF16_FLAGS, Precision.FP16: _FP16_FLAGS}
_EMULATED = {
    Precision.BF16: "BF16 without AVX-512 or AVX-NE-CONVERT is FP32 with conversions, or plain loops",
    Precision.FP16: "FP16 without AVX512-FP16 or AVX-NE-CONVERT is FP32 with conversions, or plain loops",
}
#: What autocast computes in; INT8 weights are multiplied with BF16, as torchao's examples do.
_AUTOCAST = {
    Precision.BF16: "bfloat16",
    Precision.FP16: "float16",
    Precision.INT8_WEIGHT_ONLY: "bfloat16",
}


def multiplies(precision: Precision, flags: Collection[str]) -> bool:
    """Whether a CPU with these flags has any kernel of oneDNN's for the half-precision type that is computed in."""
    needs = _FLAGS.get(precision)
    return needs is None or any(needed.issubset(flags) for needed in needs)


def emulated(precision: Precision) -> Support:
    """How a half-precision type runs where nothing multiplies it."""
    return Support(limit=Limit.EMULATED, caveat=_EMULATED[precision])


def under_autocast(module: Callable[..., T], precision: Precision) -> Callable[..., T]:
    """``module``, each call of it inside CPU autocast where the precision is computed in another type than FP32.

    The context is entered for every call, as a service does for every request, so that a backend
    that casts weights anew each time pays for it here too.
    """
    import torch

    if precision not in _AUTOCAST:
        return module
    dtype = getattr(torch, _AUTOCAST[precision])

    def forward(*inputs: torch.Tensor) -> T:
        with torch.autocast("cpu", dtype=dtype):
            return module(*inputs)

    return forward


def calibrate(
    observed: Callable[..., object],
    recipe: Recipe,
    *,
    read: Callable[[Path], object],
    write: Callable[[Path], object],
) -> None:
    """Observe the calibration data, or ``read`` what was found of it before; ``write`` keeps it where the recipe says.

    Observers' histograms take 10 to 17 s of ResNet50 or BERT; from the file the same model comes, bit for bit.
    """
    kept = recipe.calibrated
    if kept and kept.exists():
        read(kept)
        return
    for batch in recipe.calibration:
        observed(*batch)
    if kept:
        partial = kept.with_suffix(f".{os.getpid()}")  # whoever is killed here leaves nothing to others
        write(partial)
        partial.rename(kept)


def laid_out(recipe: Recipe) -> torch.nn.Module:
    """The module to prepare: channels-last if it reads images, as oneDNN's convolutions want it."""
    import torch

    if recipe.reads is Reads.IMAGES:
        recipe.module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return recipe.module


def traced(module: torch.nn.Module, recipe: Recipe) -> torch.jit.ScriptModule:
    """TorchScript of ``module``, traced on the example in the precision asked for."""
    import torch

    def trace(*inputs: torch.Tensor) -> torch.jit.ScriptModule:
        script: torch.jit.ScriptModule = torch.jit.trace(  # type: ignore[no-untyped-call]
            module, inputs, check_trace=False, strict=False
        )
        return script

    return under_autocast(trace, recipe.precision)(*recipe.example)
