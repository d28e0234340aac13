"""Inductor, as launchers and workers need it: what it finds out in every process anew is found out once."""

from __future__ import annotations

import functools
import hashlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any


@functools.cache
def preload_compiler() -> None:
    """Have Inductor find out the instruction sets it may compile for; forked workers inherit the answer.

    One after the other: asked from threads, torch leaves one behind, and what has threads is not forked any more (3 s
    and more of importing for every later worker).
    """
    from torch._inductor import cpu_vec_isa

    _keep_headers()
    cpu_vec_isa.VecISA.check_build = remembered(cpu_vec_isa.VecISA.check_build)  # type: ignore[assignment, method-assign]
    cpu_vec_isa.valid_vec_isa_list()


def compile_in_parallel(compilers: int) -> None:
    """Have Inductor run so many C++ compilers at once.

    It is asked for in the worker: TORCHINDUCTOR_COMPILE_THREADS would start a pool of processes at import, before the
    launcher forks. Of C++ kernels threads are enough.
    """
    import torch._inductor.config

    torch._inductor.config.compile_threads = compilers


def remembered(check_build: Callable[[Any, str], bool]) -> Callable[[Any, str], bool]:
    """Torch's own test whether a set compiles and loads, asked once for each torch and compiler.

    It keeps what it compiled, and still has a process import torch to load it, up to four times: 6 to 9 s of every
    launcher. What failed may work the next time, and is asked again.
    """

    @functools.wraps(check_build)
    def asked_once(isa: Any, code: str) -> bool:
        from torch._inductor.cpu_vec_isa import _get_isa_dry_compile_fingerprint

        asked = f"{_get_isa_dry_compile_fingerprint(isa.build_arch_flags())} {isa.build_macro()} {sys.prefix} {code}"
        builds = _folder() / "instruction_sets" / hashlib.sha256(asked.encode()).hexdigest()
        if builds.exists():
            return True
        if not check_build(isa, code):
            return False
        builds.parent.mkdir(parents=True, exist_ok=True)
        builds.touch()
        return True

    return asked_once


def _keep_headers() -> None:
    """Precompiled headers, which torch since 2.8 makes in 8 s and leaves where temporary files are."""
    from torch._inductor import codecache

    if hasattr(codecache, "_HEADER_DIR"):
        codecache._HEADER_DIR = os.path.join(_folder(), "precompiled_headers")
        codecache._HEADER_LOCK_DIR = os.path.join(codecache._HEADER_DIR, "locks")


def _folder() -> Path:
    from torch._inductor.runtime.cache_dir_utils import cache_dir

    return Path(cache_dir())
