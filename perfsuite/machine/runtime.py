"""The doctor's findings about the environment and the stack: threads, OpenMP, allocator, caps, versions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePath

from perfsuite.backends import BACKENDS
from perfsuite.backends.base import Backend
from perfsuite.machine.caps import aten_cap, onednn_cap
from perfsuite.machine.cpu import Cpu, one_cpu_per_core
from perfsuite.machine.finding import Finding, Level, note, ok, warning
from perfsuite.machine.preload import HOW_TO_INSTALL, listed
from perfsuite.machine.stack import ProbeFailure
from perfsuite.records.machine import StackAnswers
from perfsuite.spec import REFERENCE_BACKEND

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OMP_PROC_BIND", "OMP_PLACES", "KMP_AFFINITY")
_HOW_TO_INSTALL = "; or ".join(backend.how_to_install for backend in reversed(BACKENDS))
#: What a remedy gains differs from machine to machine and from model to model.
_MEASURED = "`perfsuite tune VARIANT` measures what it gains here"


def environment_findings(cpu: Cpu, environ: Mapping[str, str], answers: StackAnswers | None) -> Iterator[Finding]:
    """Threads, affinity variables and instruction set caps."""
    yield _threads(cpu, environ, answers)
    yield _smt(cpu, environ, answers)
    if affinity := environ.get("GOMP_CPU_AFFINITY"):
        yield warning(
            "affinity",
            f"GOMP_CPU_AFFINITY={affinity}: torch's own libgomp may then run one thread (pt#149422)",
            f"unset GOMP_CPU_AFFINITY; pin from outside: taskset -c {affinity.replace(' ', ',')} pytest ...",
        )
    yield from _caps(environ)
    if files := listed(environ):
        yield ok("preload", f"before all other libraries: {', '.join(files)}")


def stack_findings(environ: Mapping[str, str], probe: StackAnswers | ProbeFailure | None) -> Iterator[Finding]:
    """The stack's versions, its ipex, and what it loaded into its process."""
    if probe is None:
        yield note("stack", "not asked")
        return
    if isinstance(probe, ProbeFailure):
        tail = " | ".join(probe.stderr_tail) or "nothing on stderr"
        yield warning(
            "stack",
            f"the probe {probe.reason}; its last lines: {tail}",
            "run it by hand to see everything: python -m perfsuite.worker.probe --output-fd 1",
        )
        return
    yield _torch(probe)
    if probe.versions.torch is None or probe.torch_import_error:
        return
    yield from _libraries(probe)
    yield _openmp(probe)
    yield from _spinning(environ, probe)
    yield _allocator(probe)


def thread_count(environ: Mapping[str, str], answers: StackAnswers | None) -> int | None:
    """The threads that one process computes with: the stack's word, else OMP_NUM_THREADS; None if unknown."""
    if answers is not None and answers.threads is not None:
        return answers.threads
    outermost = environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    return int(outermost) if outermost.isdecimal() else None


def _threads(cpu: Cpu, environ: Mapping[str, str], answers: StackAnswers | None) -> Finding:
    threads, cores, usable = thread_count(environ, answers), len(one_cpu_per_core(cpu)), len(cpu.usable_cpus)
    chosen = ", ".join(f"{name}={environ[name]}" for name in _THREAD_VARIABLES if name in environ)
    setting = chosen or "no thread variable set"
    if threads is None:
        return note("threads", f"{setting}; no stack says how many threads it uses, {cores} cores are usable")
    summary = f"{threads} threads on {cores} usable cores; {setting}"
    if threads > usable:
        return warning("threads", f"{summary}: threads wait for one another", f"export OMP_NUM_THREADS={cores}")
    if threads == 1 < cores and "OMP_NUM_THREADS" not in environ:
        return warning("threads", f"{summary}: one core works", f"export OMP_NUM_THREADS={cores}")
    return ok("threads", summary)


def _smt(cpu: Cpu, environ: Mapping[str, str], answers: StackAnswers | None) -> Finding:
    if not cpu.smt:
        return ok("SMT", "one logical cpu a core")
    cores, threads = len(one_cpu_per_core(cpu)), thread_count(environ, answers)
    pinned = ",".join(map(str, one_cpu_per_core(cpu)))
    if threads is not None and threads > cores:
        return warning(
            "SMT",
            f"{threads} threads share {cores} cores, and with them the AMX and vector units",
            f"export OMP_NUM_THREADS={cores}; taskset -c {pinned} pytest ...",
        )
    return note(
        "SMT",
        "on: two threads may land on one core, which halves its speed while its neighbour idles",
        f"taskset -c {pinned} pytest ... (one logical cpu a core), or echo off | sudo tee "
        "/sys/devices/system/cpu/smt/control",
    )


def _caps(environ: Mapping[str, str]) -> Iterator[Finding]:
    caps = [cap for cap in (onednn_cap(environ), aten_cap(environ)) if cap is not None]
    for cap in caps:
        effect = "is no value it knows, and is ignored" if cap.left is None else "limits the instruction sets"
        yield warning("caps", f"{cap.variable}={cap.value} {effect}", f"unset {cap.variable}")
    if not caps:
        yield ok("caps", "no variable limits the instruction sets")


def _torch(answers: StackAnswers) -> Finding:
    versions = answers.versions
    if versions.torch is None and not answers.torch_import_error:
        return note("stack", f"no stack in this interpreter (Python {versions.python})", _HOW_TO_INSTALL)
    if answers.torch_import_error:
        return warning(
            "stack",
            f"torch {versions.torch} does not import: {answers.torch_import_error}",
            "reinstall it: pip install --force-reinstall torch",
        )
    backends = [backend.alias for backend in reversed(BACKENDS)]
    others = ("torchvision", "transformers", "torchao", "nncf", "numpy", "python")
    known = [f"{name} {version}" for name in (*backends, *others) if (version := getattr(versions, name)) is not None]
    return ok("stack", ", ".join(known))


def _libraries(answers: StackAnswers) -> Iterator[Finding]:
    """Of the backends that a stack has beside PyTorch; of those that it has not only where it has none."""
    found = [_library(backend, answers) for backend in BACKENDS if backend.name != REFERENCE_BACKEND]
    there = [finding for finding in found if finding.level is not Level.NOTE]
    yield from there or found


def _library(backend: Backend, answers: StackAnswers) -> Finding:
    """What a backend has beside PyTorch: whether it is there, and imports."""
    name, versions = backend.alias, answers.versions
    version, why = getattr(versions, name), answers.import_error(name)
    if version is None and not why:
        return note(name, "not installed: its variants are unsupported in this stack", backend.how_to_install)
    if why:
        advice = backend.advice(why, version=version, torch=versions.torch)
        return warning(name, f"{version} does not import: {advice.why}", advice.remedy)
    return ok(name, ", ".join([version, *(f"{what} {level}" for what, level in answers.levels(name))]))


def _openmp(answers: StackAnswers) -> Finding:
    runtimes = answers.openmp_runtimes
    if len(runtimes) > 1:
        return warning(
            "OpenMP",
            f"{len(runtimes)} runtimes in one process (pt#98836), each with threads: {', '.join(runtimes)}",
            f'load one before all: [tool.perfsuite] preload = ["{runtimes[0]}"]; then run `perfsuite doctor` again',
        )
    return ok("OpenMP", runtimes[0] if runtimes else "no runtime loaded")


def _spinning(environ: Mapping[str, str], answers: StackAnswers) -> Iterator[Finding]:
    families = {re.sub(r"[-_.].*", "", PurePath(path).name) for path in answers.openmp_runtimes}
    if families & {"libiomp5", "libomp", "libomp5"} and "KMP_BLOCKTIME" not in environ:
        yield note(
            "spinning",
            "threads spin for 200 ms after each parallel region (KMP_BLOCKTIME not set) and disturb a second process",
            f"export KMP_BLOCKTIME=1; {_MEASURED}",
        )
    if "libgomp" in families and not {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"} & environ.keys():
        yield note(
            "spinning",
            "libgomp's threads spin after each parallel region (OMP_WAIT_POLICY not set) and disturb a second process",
            f"export OMP_WAIT_POLICY=passive (each region then starts a little later); {_MEASURED}",
        )


def _allocator(answers: StackAnswers) -> Finding:
    if answers.allocator != "glibc":
        return ok("allocator", answers.allocator)
    return note(
        "allocator",
        "glibc: large tensors go back to the kernel and fault in again",
        f'[tool.perfsuite] preload = ["jemalloc"], or --preload jemalloc ({HOW_TO_INSTALL["jemalloc"]}); or tcmalloc '
        f"({HOW_TO_INSTALL['tcmalloc']}); {_MEASURED}",
    )
