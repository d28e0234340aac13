"""What a backend must do. Imports no torch: support is listed without it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, TypeVar

from perfsuite.models.base import Reads
from perfsuite.spec import Limit, Mode, Precision, Support

T = TypeVar("T")

if TYPE_CHECKING:
    import torch

    Forward = Callable[..., torch.Tensor]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One module to prepare, its mode and precision, and the data that preparing it needs.

    ``example`` and each ``calibration`` entry are the positional arguments of one forward call.
    ``calibrated`` is where a backend that can may keep what calibrating found: it reads the file if
    it is there, else it writes it.
    """

    module: torch.nn.Module
    reads: Reads
    mode: Mode
    precision: Precision
    example: tuple[torch.Tensor, ...]
    calibration: tuple[tuple[torch.Tensor, ...], ...]
    calibrated: Path | None = None


class Backend(ABC):
    """Turns a module into something to call; each method that needs torch imports it itself."""

    name: ClassVar[str]
    #: The modes that Inductor compiles.
    compiled_modes: ClassVar[frozenset[Mode]]

    @abstractmethod
    def support(
        self, reads: Reads, mode: Mode, precision: Precision, packages: Mapping[str, str], flags: Collection[str]
    ) -> Support:
        """Whether the stack of these packages (name -> version) can run it on a CPU with these flags."""

    @abstractmethod
    def imports(self, mode: Mode, precision: Precision) -> tuple[str, ...]:
        """The modules that preparing imports: launchers import them once for all their workers."""

    def preload_compiler(self) -> None:
        """Have Inductor find out the instruction sets it may compile for.

        It asks once a process, with up to four processes that each import torch, 6 to 9 s in all, and forked workers
        inherit the answer. One after the other: asked from threads, torch leaves one behind, and what has threads is
        not forked any more (3 s and more of importing for every later worker).
        """
        from torch._inductor import cpu_vec_isa

        cpu_vec_isa.valid_vec_isa_list()

    def compile_in_parallel(self, compilers: int) -> None:
        """Have Inductor run so many C++ compilers at once.

        It is asked for in the worker: TORCHINDUCTOR_COMPILE_THREADS would start a pool of processes
        at import, before the launcher forks. Of C++ kernels threads are enough.
        """
        import torch._inductor.config

        torch._inductor.config.compile_threads = compilers

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

    def arrange(self, batch: tuple[torch.Tensor, ...], reads: Reads) -> tuple[torch.Tensor, ...]:
        """Lay inputs out as the backend wants them: images channels-last, text as it is."""
        import torch

        if reads is Reads.TEXT:
            return batch
        return tuple(part.contiguous(memory_format=torch.channels_last) for part in batch)


#: What ipex 2.6 to 2.8 ask of a CPU before they pack BF16 weights (ipex.optimize's own message); oneDNN
#: has no BF16 convolution or product for less either.
_BF16_FLAGS = (frozenset({"avx512bw", "avx512vl", "avx512dq"}), frozenset({"avx_ne_convert"}))
EMULATED = Support(
    limit=Limit.EMULATED, caveat="BF16 without AVX-512 or AVX-NE-CONVERT is FP32 with conversions, or plain loops"
)


def multiplies_bf16(flags: Collection[str]) -> bool:
    """Whether a CPU with these flags has any BF16 kernel of oneDNN's."""
    return any(needed.issubset(flags) for needed in _BF16_FLAGS)


def under_autocast(module: Callable[..., T], precision: Precision) -> Callable[..., T]:
    """``module``, each call of it inside CPU autocast where the precision is BF16.

    The context is entered for every call, as a service does for every request, so that a backend
    that casts weights anew each time pays for it here too.
    """
    import torch

    if precision is not Precision.BF16:
        return module

    def forward(*inputs: torch.Tensor) -> T:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return module(*inputs)

    return forward


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
