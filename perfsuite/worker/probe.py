"""Asks a stack what it sees: `python -m perfsuite.worker.probe --output-fd N` writes two lines of JSON to fd N.

The first holds what the stack says of itself, the second what it did with small matrix products: should they
end the process, the first is out. It also runs by its path, in a stack where perfsuite is not installed. A stack
that is missing or fails to import is an answer, not an error: the exit status is then 0.
"""

from __future__ import annotations

import argparse
import ctypes
import importlib
import importlib.metadata
import importlib.util
import json
import os
import platform
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, cast

DISTRIBUTIONS = {
    "torch": "torch",
    "torchvision": "torchvision",
    "transformers": "transformers",
    "torchao": "torchao",
    "ipex": "intel_extension_for_pytorch",
    "openvino": "openvino",
    "nncf": "nncf",
    "numpy": "numpy",
}

# arch_prctl and the AMX tile data component: Linux, Documentation/arch/x86/xstate.rst
_SYS_ARCH_PRCTL = 158
_ARCH_GET_XCOMP_PERM = 0x1022
_ARCH_REQ_XCOMP_PERM = 0x1023
_XFEATURE_XTILEDATA = 18

_OPENMP = re.compile(r"lib(gomp|iomp5|omp5?)([-_][0-9a-zA-Z]+)?\.so[.0-9]*")
_ALLOCATOR = re.compile(r"lib(jemalloc|tcmalloc|mimalloc)\w*([-_.][\w.-]+)?")
# Both keep what is written far below the 64 KiB that a pipe buffers. A product prints some ten lines.
_LONGEST_ERROR = 2000  # characters
_MOST_LINES = 40
# Large enough for oneDNN's AMX kernels, whose tiles hold 16 rows of 64 bytes; done in well under a millisecond.
_SIZE = 256

_Step = Callable[[], object]


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


def answers(*, importing: bool = True) -> dict[str, object]:
    """Everything the stack says about itself; importing torch and ipex takes seconds.

    Without ``importing`` only what this process has loaded is asked: ipex is nothing to one that runs stock PyTorch.
    """
    find = _import if importing else _loaded
    permission = request_amx_permission()
    torch, torch_error = find("torch")
    ipex, ipex_error = find("intel_extension_for_pytorch") if torch else (None, "")
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # it would report that it is used
    openvino_error = find("openvino")[1] if torch else ""
    mapped = mapped_files(Path("/proc/self/maps").read_text(errors="replace"))
    return {
        "versions": {
            "python": platform.python_version(),
            **{name: _version(distribution) for name, distribution in DISTRIBUTIONS.items()},
        },
        "torch_import_error": torch_error,
        "ipex_import_error": ipex_error,
        "openvino_import_error": openvino_error,
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


def trial() -> dict[str, object] | None:
    """Small products of matrices, with what oneDNN printed for each; None unless torch is imported by now."""
    torch = sys.modules.get("torch")
    if torch is None:
        return None
    kinds: list[tuple[str, str, Callable[[Any], _Step]]] = [("torch", "bf16", _bf16), ("torch", "int8", _int8)]
    if "intel_extension_for_pytorch" in sys.modules:
        kinds.append(("ipex", "bf16", _ipex_bf16))
    products: list[dict[str, object]] = []
    steps: list[_Step] = []
    for library, dtype, prepare in kinds:
        lines, error = _spoken(torch, prepare, steps)
        products.append({"library": library, "dtype": dtype, "lines": lines[:_MOST_LINES], "error": error})
    return {"products": products, "amx_busy": _amx_busy(steps)}


def main() -> int:
    """Write the answers to the file descriptor given on the command line."""
    parser = argparse.ArgumentParser(prog="python -m perfsuite.worker.probe", description=__doc__)
    parser.add_argument("--output-fd", type=int, required=True, help="open descriptor that gets the JSON lines")
    # C++ code may print at exit: the lines have their own descriptor and are complete before that.
    with os.fdopen(parser.parse_args().output_fd, "w") as output:
        print(json.dumps(answers()), file=output, flush=True)
        print(json.dumps(trial()), file=output)
    return 0


def _bf16(torch: Any) -> _Step:
    matrix = torch.ones(_SIZE, _SIZE, dtype=torch.bfloat16)
    return lambda: torch.mm(matrix, matrix)


def _int8(torch: Any) -> _Step:
    """As torch's quantised linear layers do; torch._int_mm goes through a gemm that does not tell what it uses."""
    weight = torch.ones(_SIZE, _SIZE, dtype=torch.int8)
    packed = torch.ops.onednn.qlinear_prepack(weight, [_SIZE, _SIZE])
    scales, zero_points = torch.ones(_SIZE), torch.zeros(_SIZE, dtype=torch.int64)
    source = torch.ones(_SIZE, _SIZE, dtype=torch.uint8)
    linear = torch.ops.onednn.qlinear_pointwise
    return lambda: linear(
        source, 1.0, 0, packed, scales, zero_points, None, 1.0, 0, torch.float32, "none", [], ""
    )  # fmt: skip


def _ipex_bf16(torch: Any) -> _Step:
    """What ipex.optimize makes of a linear layer: ipex's own copy of oneDNN."""
    matrix = torch.ones(_SIZE, _SIZE, dtype=torch.bfloat16)
    packed = torch.ops.ipex_prepack.linear_prepack(matrix, None, None)
    return lambda: torch.ops.ipex_prepack.linear_run(matrix, packed)


def _spoken(torch: Any, prepare: Callable[[Any], _Step], steps: list[_Step]) -> tuple[list[str], str]:
    """What oneDNN prints while a product is prepared and run, and why it did not run; if it did, it joins steps."""
    libc = ctypes.CDLL(None)
    error = ""
    # C code prints to descriptor 1, whatever Python's sys.stdout is.
    sys.stdout.flush()
    libc.fflush(None)
    kept, log = os.dup(1), os.memfd_create("onednn")
    os.dup2(log, 1)
    try:
        with torch.backends.mkldnn.verbose(torch.backends.mkldnn.VERBOSE_ON):
            step = prepare(torch)
            step()
        steps.append(step)
    except Exception as failure:  # private operators of many versions: whatever goes wrong, there is no product
        error = _described(failure)
    finally:
        sys.stdout.flush()
        libc.fflush(None)
        os.dup2(kept, 1)
        os.close(kept)
    with open(log, errors="replace") as file:
        file.seek(0)
        return file.read().splitlines(), error


def _amx_busy(steps: list[_Step]) -> dict[str, object]:
    if not steps:
        return {"cycles": None, "reason": "no product ran"}
    # By path, as this file itself may run where perfsuite is not installed.
    spec = importlib.util.spec_from_file_location("amx_busy", Path(__file__).with_name("amx_busy.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return cast(dict[str, object], module.amx_busy(lambda: [step() for step in steps]))


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


def _loaded(name: str) -> tuple[object | None, str]:
    """The module if it is imported already."""
    return sys.modules.get(name), ""


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
