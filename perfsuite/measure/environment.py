"""What is fixed before a worker starts: threads, libraries' variables, cache folders."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

#: Variables that decide speed; whatever the user set is handed on and recorded.
_DECISIVE = (
    "ONEDNN_", "DNNL_", "ATEN_", "OMP_", "KMP_", "GOMP_", "MKL_", "TORCHINDUCTOR_", "TORCH_", "IPEX_",
    "LRU_CACHE_CAPACITY", "LD_PRELOAD", "MALLOC_", "GLIBC_TUNABLES",
)  # fmt: skip


def cache_folder() -> Path:
    """Where weights, inputs and compiled kernels are kept between runs."""
    base = os.environ.get("PERFSUITE_CACHE")
    if base:
        return Path(base)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "perfsuite"


def worker_environment(environ: Mapping[str, str], *, threads: int, stack_slug: str) -> dict[str, str]:
    """The user's environment with what perfsuite fixes; the user's own settings win.

    Three exceptions: the thread counts, which are perfsuite's setting; the pools that would
    start threads at import, before the launcher forks; and where no bytecode may be written, it goes
    into our cache instead, for compiling torch's and ipex's sources anew takes half of an import.
    """
    defaults = {
        "TORCHINDUCTOR_CACHE_DIR": str(cache_folder() / "inductor" / stack_slug),
        "TOKENIZERS_PARALLELISM": "false",
        "PYTHONWARNINGS": "ignore",
    }
    fixed = {
        "OMP_NUM_THREADS": str(threads),
        "MKL_NUM_THREADS": str(threads),
        "OPENBLAS_NUM_THREADS": "1",
        "TORCHINDUCTOR_COMPILE_THREADS": "1",
    }
    if environ.get("PYTHONDONTWRITEBYTECODE"):
        defaults["PYTHONPYCACHEPREFIX"] = str(cache_folder().absolute() / "bytecode")
        fixed["PYTHONDONTWRITEBYTECODE"] = ""
    return defaults | dict(environ) | fixed


def decisive(environment: Mapping[str, str]) -> dict[str, str]:
    """The part of an environment that belongs in a record: what decides speed, no paths."""
    left_out = ("TORCHINDUCTOR_CACHE_DIR",)
    return {
        name: value
        for name, value in sorted(environment.items())
        if name.startswith(_DECISIVE) and name not in left_out
    }
