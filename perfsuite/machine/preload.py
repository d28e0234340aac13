"""Libraries that the loader has before all others: allocators and OpenMP runtimes, by name or by path."""

from __future__ import annotations

import ctypes.util
import os
import re
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from perfsuite.errors import UsageError

LD_PRELOAD = "LD_PRELOAD"
#: What run_cpu and ipexrun look for (--enable-jemalloc, --enable-tcmalloc); Debian's small tcmalloc has another name.
ALLOCATORS = ("jemalloc", "tcmalloc", "tcmalloc_minimal")
INTEL_OPENMP = "iomp5"
HOW_TO_INSTALL = {
    "jemalloc": "apt-get install libjemalloc2 (Fedora: dnf install jemalloc)",
    "tcmalloc": "apt-get install libgoogle-perftools4 (Fedora: dnf install gperftools-libs)",
    "tcmalloc_minimal": "apt-get install libtcmalloc-minimal4 (Fedora: dnf install gperftools-libs)",
    INTEL_OPENMP: "pip install intel-openmp, in the stack that is run",
}
#: A library of this name may be another version's: libjemalloc.so.2.
_FILE = "lib{name}.so"
#: Prints the first library that this process has not loaded. RTLD_NOLOAD loads nothing.
_ASK = """
import ctypes, os, sys
for name in sys.argv[1:]:
    try:
        ctypes.CDLL(name, os.RTLD_LAZY | os.RTLD_NOLOAD)
    except OSError:
        print(name)
        break
"""
#: What glibc's loader says of each (elf/rtld.c): ERROR: ld.so: object 'x.so' from LD_PRELOAD cannot be preloaded (why).
_WHY = r"object '{name}' from \S+ cannot be preloaded \((.*?)\): ignored"
_TIMEOUT_S = 60.0  # 0.03 s when the disk's cache is warm; the rest is for a cold disk


def find_library(name: str, python: Path) -> str | None:
    """The file of a library such as jemalloc, as LD_PRELOAD takes it; None where neither stack nor loader has it.

    The stack of the interpreter ``python`` comes first (pip's intel-openmp, conda's jemalloc), as run_cpu has it.
    """
    own = python.parent.parent / "lib" / _FILE.format(name=name)
    return str(own.absolute()) if own.exists() else ctypes.util.find_library(name)


def preloaded(environ: Mapping[str, str], names: Sequence[str], python: Path) -> dict[str, str]:
    """The variables with ``names`` in front of what is preloaded already; each is a name, a file's name or a path.

    UsageError, which says what to install, for what is not there, and for what a process of ``python`` cannot load.
    """
    files = [_file(name, python) for name in names]
    whole = dict(environ)
    if files:
        whole[LD_PRELOAD] = ":".join(dict.fromkeys((*files, *listed(environ))))
    if reason := unloadable(whole, files, python):
        raise UsageError(f"preload: {reason}")
    return whole


def unloadable(environ: Mapping[str, str], files: Sequence[str], python: Path) -> str | None:
    """Why a process of ``python`` runs without one of the files, which LD_PRELOAD names; None if it has them all.

    The loader only prints a line about what it cannot load, and goes on.
    """
    if not files:
        return None
    command = [str(python), "-I", "-S", "-c", _ASK, *files]
    try:
        done = subprocess.run(
            command, env=dict(environ), capture_output=True, text=True, errors="replace", timeout=_TIMEOUT_S
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{python} does not run with {LD_PRELOAD}={environ[LD_PRELOAD]}: {error}"
    if done.returncode < 0:
        return f"{python} is killed by {signal.Signals(-done.returncode).name} with {LD_PRELOAD}={environ[LD_PRELOAD]}"
    said = " ".join(done.stderr.split())
    if done.returncode:
        return f"{python} ends with exit status {done.returncode} with {LD_PRELOAD}={environ[LD_PRELOAD]}: {said}"
    if missing := done.stdout.strip():
        why = re.search(_WHY.format(name=re.escape(missing)), said)
        return f"{missing} cannot be loaded: {why.group(1) if why else said or 'the loader does not say why'}"
    return None


def listed(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The files that LD_PRELOAD names, parted as ld.so does: by colons and white space."""
    return tuple(file for file in re.split(r"[:\s]+", environ.get(LD_PRELOAD, "")) if file)


def _file(name: str, python: Path) -> str:
    if os.sep in name or ".so" in name:
        return name
    if file := find_library(name, python):
        return file
    advice = HOW_TO_INSTALL.get(name, f"install it, or give the absolute path of its {_FILE.format(name=name)}")
    raise UsageError(f"preload: there is no library {name} here; {advice}")
