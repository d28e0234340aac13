"""Asks a stack what it sees: `python -m perfsuite.worker.probe --output-fd N` writes one JSON object to fd N.

It also runs by its path, in a stack where perfsuite is not installed. A stack that is missing or fails to
import is an answer, not an error: the exit status is 0 whenever the object was written.
"""

from __future__ import annotations

import argparse
import ctypes
import importlib
import importlib.metadata
import json
import os
import platform
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import cast

DISTRIBUTIONS = {
    "torch": "torch",
    "torchvision": "torchvision",
    "transformers": "transformers",
    "torchao": "torchao",
    "ipex": "intel_extension_for_pytorch",
    "numpy": "numpy",
}

# arch_prctl and the AMX tile data component: Linux, Documentation/arch/x86/xstate.rst
_SYS_ARCH_PRCTL = 158
_ARCH_GET_XCOMP_PERM = 0x1022
_ARCH_REQ_XCOMP_PERM = 0x1023
_XFEATURE_XTILEDATA = 18

_OPENMP = re.compile(r"lib(gomp|iomp5|omp5?)([-_][0-9a-zA-Z]+)?\.so[.0-9]*")
_ALLOCATOR = re.compile(r"lib(jemalloc|tcmalloc|mimalloc)\w*([-_.][\w.-]+)?")
_LONGEST_ERROR = 2000  # characters; keeps the whole object far below the 64 KiB that a pipe buffers


def request_amx_permission() -> dict[str, object]:
    """Ask the kernel for the AMX tile registers on behalf of this process: granted or not, and why not."""
    if platform.machine() != "x86_64" or platform.system() != "Linux":
        return {"granted": False, "reason": "AMX needs Linux on x86-64"}
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(_SYS_ARCH_PRCTL, _ARCH_REQ_XCOMP_PERM, ctypes.c_ulong(_XFEATURE_XTILEDATA)) != 0:
        error = os.strerror(ctypes.get_errno())
        return {"granted": False, "reason": f"arch_prctl(ARCH_REQ_XCOMP_PERM): {error}"}
    granted = ctypes.c_ulong(0)
    libc.syscall(_SYS_ARCH_PRCTL, _ARCH_GET_XCOMP_PERM, ctypes.byref(granted))
    if not granted.value >> _XFEATURE_XTILEDATA & 1:
        return {"granted": False, "reason": "the kernel took the request but granted no tile registers"}
    return {"granted": True, "reason": ""}


def openmp_runtimes(mapped_files: Iterable[str]) -> list[str]:
    """The OpenMP runtimes among the files mapped into a process."""
    return sorted({path for path in mapped_files if _OPENMP.fullmatch(os.path.basename(path))})


def allocator(mapped_files: Iterable[str]) -> str:
    """The allocator that serves malloc: a preloaded one if it is mapped, else glibc."""
    found = (_ALLOCATOR.fullmatch(os.path.basename(path)) for path in mapped_files)
    return next((match.group(1) for match in found if match), "glibc")


def mapped_files(maps: str) -> list[str]:
    """The files named in the text of /proc/self/maps, once each, in their order."""
    paths = (line.split(maxsplit=5)[5] for line in maps.splitlines() if line.count(" ") and "/" in line)
    return list(dict.fromkeys(path.removesuffix(" (deleted)") for path in paths))


def answers() -> dict[str, object]:
    """Everything the stack says about itself; importing torch and ipex takes seconds."""
    permission = request_amx_permission()
    torch, torch_error = _import("torch")
    ipex, ipex_error = _import("intel_extension_for_pytorch") if torch else (None, "")
    mapped = mapped_files(Path("/proc/self/maps").read_text(errors="replace"))
    return {
        "versions": {
            "python": platform.python_version(),
            **{name: _version(distribution) for name, distribution in DISTRIBUTIONS.items()},
        },
        "torch_import_error": torch_error,
        "ipex_import_error": ipex_error,
        "amx_tile": _ask(torch, "cpu._is_amx_tile_supported"),
        "amx_fp16": _ask(torch, "cpu._is_amx_fp16_supported"),
        "aten_capability": _ask(torch, "backends.cpu.get_cpu_capability"),
        "ipex_isa": _ask(ipex, "_C._get_current_isa_level"),
        "ipex_onednn_isa": _ask(ipex, "_C._get_current_onednn_isa_level"),
        "threads": _ask(torch, "get_num_threads"),
        "openmp_runtimes": openmp_runtimes(mapped),
        "allocator": allocator(mapped),
        "amx_permission": permission,
    }


def main() -> int:
    """Write the answers to the file descriptor given on the command line."""
    parser = argparse.ArgumentParser(prog="python -m perfsuite.worker.probe", description=__doc__)
    parser.add_argument("--output-fd", type=int, required=True, help="open descriptor that gets the JSON object")
    # C++ code may print at exit: the object has its own descriptor and is complete before that.
    with os.fdopen(parser.parse_args().output_fd, "w") as output:
        json.dump(answers(), output)
    return 0


def _import(name: str) -> tuple[object | None, str]:
    """The module and no error; or None and the error, which is empty if the module is not installed."""
    try:
        return importlib.import_module(name), ""
    except ModuleNotFoundError as error:
        if error.name == name:
            return None, ""
        return None, _described(error)
    # A binary built for another torch may raise anything; ipex means to exit the process there (2.8 trips
    # over `os.exit`, which does not exist).
    except (Exception, SystemExit) as error:
        return None, _described(error)


def _described(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:_LONGEST_ERROR]


def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def _ask(module: object | None, path: str) -> object | None:
    """What a function of the stack returns; None where this version lacks it or it fails."""
    try:
        target: object = module
        for name in path.split("."):
            target = getattr(target, name)
        return cast(Callable[[], object], target)()
    except Exception:  # private functions of many versions: whatever goes wrong, the question has no answer
        return None


if __name__ == "__main__":
    raise SystemExit(main())
