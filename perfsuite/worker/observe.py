"""Observing a prepared variant: what its libraries print, what the profiler and TorchDynamo saw.

Nothing here may run in a worker that is still to be timed: instruments stay in a process once used.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import re
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch.autograd.profiler import profile  # torch.profiler's imports Inductor and SymPy first, for 3 s
from torch.backends import mkldnn

from perfsuite.backends.base import Backend, Instrument
from perfsuite.records.evidence import CREATION_MARK, PASS_MARK
from perfsuite.worker.amx_busy import amx_busy
from perfsuite.worker.timing import time_block

#: Passes whose lines are captured; a kernel's time is the median over them.
_PASSES = 3
#: Passes without an instrument, for so long and at least so many: within a second latencies drift by
#: 10 % on two shared cores, and by their median the best of a variant's modes is chosen.
_FORWARD_NS, _FORWARD_PASSES = 1_000_000_000, 3
#: A profile tells means, of which the first, cold pass is one.
_PROFILED_PASSES = 20
#: Of a pass slower than this, one is enough for each instrument.
_SLOW_S = 1.0

#: Passes after each of which memory is read: 66 slopes, of which a third may be an allocator's (judgement). What it
#: keeps of freed memory is given back first: it grew by 277 KiB a pass while it settled (minilm, ipex 2.8).
_GROWTH_PASSES = 12

#: TorchDynamo tells of its last 64 compilations if it is not asked to keep more; BERT's INT8 under ipex has 72 frames,
#: and more than one shape.
_MOST_COMPILATIONS = 10_000

_libc = ctypes.CDLL(None)
Step = Callable[[], object]


def observe(
    step: Step,
    backend: Backend,
    layers: Callable[[int], object],
    log: Path,
    *,
    forward_s: float | None,
    several_shapes: bool,
) -> dict[str, Any]:
    """Run ``step`` under one instrument of the backend after another; the libraries' lines go into ``log``.

    ``layers`` asks the backend's own profile of so many passes. ``forward_s`` is what a pass takes without any
    instrument, None where nobody has timed it. Of ``several_shapes`` the memory is read after each of some passes.
    """
    if forward_s is None:
        forward_s = statistics.median(time_block(step, duration_ns=_FORWARD_NS, iterations=_FORWARD_PASSES)) * 1e-9
    slow = forward_s > _SLOW_S
    held = [_held_after(step) for _ in range(_GROWTH_PASSES if several_shapes else 0)]
    passes_ns: list[int] = []
    with _stdout_into(log), backend.speaking():
        for _ in range((1 if slow else _PASSES) if Instrument.LINES in backend.instruments else 0):
            _libc.puts(PASS_MARK.encode())
            passes_ns += time_block(step, duration_ns=0, iterations=1)
    return {
        "forward_s": forward_s,
        "passes_s": [duration_ns * 1e-9 for duration_ns in passes_ns],
        "line_s": _line_s(),
        "held_bytes": held,
        "creation_lines": _creation_lines(step, log) if Instrument.LINES in backend.instruments else None,
        "threads": torch.get_num_threads(),
        "operators": _operators(step, warm=not slow) if Instrument.OPERATORS in backend.instruments else [],
        "graphs": graphs() if Instrument.GRAPHS in backend.instruments else None,
        "amx_busy": amx_busy(step),
        # The last: it may compile anew.
        "layers": layers(1 if slow else _PROFILED_PASSES) if Instrument.LAYERS in backend.instruments else None,
    }


def forward_s_of(latencies_ns: Iterable[Sequence[int]]) -> float | None:
    """What a pass over all shapes takes, from passes of each; None if these are too few or too short to tell."""
    shapes = list(latencies_ns)
    if sum(map(sum, shapes)) < _FORWARD_NS or min(map(len, shapes)) < _FORWARD_PASSES:
        return None
    return sum(statistics.median(shape) for shape in shapes) * 1e-9


def _held_after(step: Step) -> int:
    step()
    return resident_bytes()


def _creation_lines(step: Step, log: Path) -> list[str]:
    """What oneDNN says of the primitives that one pass makes; importing ipex makes the switch work on both copies."""
    apart = log.with_suffix(".creations")
    with _stdout_into(apart), mkldnn.verbose(mkldnn.VERBOSE_ON_CREATION):  # type: ignore[no-untyped-call]
        step()
    lines = apart.read_text(errors="replace").splitlines()
    apart.unlink()
    return [line for line in lines if CREATION_MARK in line]


def resident_bytes() -> int:
    """What the process holds, after garbage and freed memory are given back."""
    gc.collect()
    if hasattr(_libc, "malloc_trim"):  # glibc's
        _libc.malloc_trim(0)
    return held_bytes()


def held_bytes() -> int:
    """What the process holds now, freed memory that the allocator keeps included."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def forget_graphs() -> None:
    """What TorchDynamo has traced so far, an export for quantisation say, is not the variant's."""
    if dynamo := sys.modules.get("torch._dynamo.utils"):
        dynamo.counters.clear()
        dynamo.clear_compilation_metrics()
        dynamo.set_compilation_metrics_limit(_MOST_COMPILATIONS)


def graphs() -> dict[str, Any] | None:
    """What TorchDynamo compiled and where it broke; None if it was not asked to compile."""
    dynamo = sys.modules.get("torch._dynamo.utils")
    tried = dynamo.get_compilation_metrics() if dynamo else []
    if dynamo is None or not tried:
        return None
    # One that failed runs as if nothing had been compiled, where errors are suppressed.
    compiled = [metrics for metrics in tried if getattr(metrics, "fail_type", None) is None]
    return {
        "compiled": len(compiled),
        "breaks": [{"reason": _first_line(reason), "count": n} for reason, n in dynamo.counters["graph_break"].items()],
        # A frame's second compilation has an id such as 0/1.
        "recompiles": [
            f"{metrics.co_name}: {_first_line(getattr(metrics, 'recompile_reason', None) or 'not told why')}"
            for metrics in compiled
            if metrics.compile_id and not str(metrics.compile_id).endswith("/0")
        ],
        "compile_s": sum(metrics.entire_frame_compile_time_s or 0.0 for metrics in compiled),
    }


def cold_compile_s() -> float | None:
    """What TorchDynamo took to compile where Inductor's cache held nothing of it; None where it did, or is not asked.

    It is not asked where weights are folded into the graph (stock's freezing).
    """
    dynamo = sys.modules.get("torch._dynamo.utils")
    cache = dynamo.counters["inductor"] if dynamo else Counter[str]()
    if cache["fxgraph_cache_hit"] or not cache["fxgraph_cache_miss"]:
        return None
    found = graphs()
    return found["compile_s"] if found else None


def _first_line(text: str) -> str:
    """Without what differs from process to process: the address of an object."""
    return re.sub(r"\d{9,}", "...", text.strip().partition("\n")[0])


def _operators(step: Step, *, warm: bool) -> list[dict[str, Any]]:
    """Self times by operator, shapes and types; the profiler's first pass is slow, so it is thrown away."""
    for _ in range(2 if warm else 1):
        with profile(use_kineto=True, record_shapes=True) as profiler:  # type: ignore[no-untyped-call]
            step()
    events = sorted(
        profiler.kineto_results.events(),
        key=lambda event: (event.start_thread_id(), event.start_ns(), -event.duration_ns()),
    )
    self_ns = _self_times([(e.start_thread_id(), e.start_ns(), e.duration_ns()) for e in events])
    counts: Counter[tuple[str, str, str]] = Counter()
    times: Counter[tuple[str, str, str]] = Counter()
    for event, own_ns in zip(events, self_ns, strict=True):
        key = (_stable(event.name()), str(event.shapes()), " ".join(filter(None, event.dtypes())))
        counts[key] += 1
        times[key] += own_ns
    return [
        {"name": name, "shapes": shapes, "dtypes": dtypes, "count": counts[name, shapes, dtypes], "self_ns": own_ns}
        for (name, shapes, dtypes), own_ns in times.most_common()
    ]


def _self_times(spans: list[tuple[int, int, int]]) -> list[int]:
    """Of (thread, start, duration), in order, each one's duration less that of what it encloses directly."""
    own = [duration for _, _, duration in spans]
    open_spans: list[int] = []
    for index, (thread, start, duration) in enumerate(spans):
        while open_spans and (
            spans[open_spans[-1]][0] != thread or spans[open_spans[-1]][1] + spans[open_spans[-1]][2] <= start
        ):
            open_spans.pop()
        if open_spans:
            own[open_spans[-1]] -= duration
        open_spans.append(index)
    return own


def _stable(name: str) -> str:
    """A compiled graph's name without the hash that differs from compilation to compilation."""
    return re.sub(r"## Call CompiledFxGraph \w+ ##", "CompiledFxGraph", name)


def _line_s() -> float:
    """Seconds that a library's line costs: formatted, it is written and flushed at once."""
    line, count = b"onednn_verbose".ljust(250, b"."), 100
    with tempfile.TemporaryDirectory() as folder, _stdout_into(Path(folder) / "lines"):
        start_s = time.perf_counter()
        for _ in range(count):
            _libc.puts(line)
            _libc.fflush(None)
        return (time.perf_counter() - start_s) / count


@contextlib.contextmanager
def _stdout_into(log: Path) -> Iterator[None]:
    """C code prints to descriptor 1, whatever Python's sys.stdout is."""
    sys.stdout.flush()
    _libc.fflush(None)
    kept = os.dup(1)
    with log.open("wb") as file:
        os.dup2(file.fileno(), 1)
        try:
            yield
        finally:
            _libc.fflush(None)
            os.dup2(kept, 1)
            os.close(kept)
