"""What is fixed before a worker starts: threads, libraries' variables, cache folders."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import perfsuite
from perfsuite.backends.registry import decisive_variables

#: Variables that decide speed, by how they begin; whatever the user set is handed on and recorded. Beside what the
#: backends name these are of threads and memory, whoever computes.
_DECISIVE = (
    "OMP_",
    "KMP_",
    "GOMP_",
    "LD_PRELOAD",
    "MALLOC_",
    "GLIBC_TUNABLES",
    "THP_MEM_ALLOC_ENABLE",
    *decisive_variables(),
)
#: A word of the names of PyTorch's variables that do not (from the sources of torch 2.8): they say where
#: something lies, or concern messages, other devices and distributed runs.
_WITHOUT_EFFECT = frozenset({
    "DIR", "HOME", "HUB", "ZOO", "PATH", "FILE", "FILENAME", "OUT", "TRACE", "DTRACE", "BINARY",
    "URL", "HOST", "PORT", "SOCKET", "VERSION", "ID",
    "LOG", "LOGS", "LOGGING", "LOGLEVEL", "VERBOSE", "STACKTRACES", "ADDR2LINE",
    "CUDA", "CUDNN", "CUBLAS", "CUTLASS", "NVML", "NVCC", "ROCM", "HIP", "MIOPEN", "XPU",
    "NCCL", "DISTRIBUTED", "TORCHELASTIC",
})  # fmt: skip


#: For workers that nobody times: threads that wait sleep, in place of spinning on a core that another could use.
#: On two cores that six to eight processes wanted, ResNet50's static INT8 took 48 s of CPU time spinning, and 19 s so.
PATIENT = {"KMP_BLOCKTIME": "0", "OMP_WAIT_POLICY": "PASSIVE"}


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
        # Dynamo catches errors of C++ whose stacks nobody will read; naming their frames took 12 s of a worker's 20.
        "TORCH_DISABLE_ADDR2LINE": "1",
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


def python_path(project: str, others: Iterable[str]) -> str:
    """Lets another stack's interpreter find perfsuite, and nothing else of what is installed beside it.

    Then come the folder of the user's project and the ``others``.
    """
    package = Path(perfsuite.__file__).parent
    # The same path every time: bytecode is cached by it.
    folder = cache_folder() / "path" / hashlib.sha256(bytes(package)).hexdigest()[:12]
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        (folder / "perfsuite").symlink_to(package, target_is_directory=True)
    return os.pathsep.join((str(folder.absolute()), project, *others))


def decisive(environment: Mapping[str, str]) -> dict[str, str]:
    """The part of an environment that belongs in a record: what decides speed, and of paths only the files' names."""
    return {
        name: re.sub(r"[^\s:;,=]*/", "", value) for name, value in sorted(environment.items()) if _is_decisive(name)
    }


def _is_decisive(name: str) -> bool:
    of_torch = name.startswith(("TORCH", "PYTORCH_"))
    return name.startswith(_DECISIVE) and not (of_torch and _WITHOUT_EFFECT & set(name.split("_")))
