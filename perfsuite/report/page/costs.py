"""What a variant takes on both sides, in figures: latency, memory, time until it is ready, accuracy."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from perfsuite.records.measurement import Replicate
from perfsuite.records.outcome import Outcome
from perfsuite.records.throughput import throughput
from perfsuite.records.violation import Kind
from perfsuite.report.page.chapter import Names, Side
from perfsuite.report.page.view import Row, Table
from perfsuite.report.text import milliseconds
from perfsuite.report.throughput import rate

_NONE = "—"
_RULE = (
    "Of latencies it is the mean over workers, of what else a worker takes the least of one: neighbours and cold "
    "caches only ever add to it."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cost:
    """A figure of one side, None where nobody told it, how it is written, and which violations are about it."""

    name: str
    of: Callable[[Side], float | None]
    written: Callable[[float], str]
    kinds: tuple[Kind, ...] = ()
    #: Whether a quotient of it says something.
    relative: bool = True


def cost_table(before: Side | None, after: Side | None, outcome: Outcome, names: Names) -> Table | None:
    """None where neither side was measured."""
    rows = list(_rows(before, after, {violation.kind for violation in (*outcome.costs, *outcome.outputs)}))
    if not rows:
        return None
    columns = ("", names.before, names.after, "change")
    return Table(title="What it takes", columns=columns, rows=tuple(rows), numeric=3, lines=(_RULE,))


def _rows(before: Side | None, after: Side | None, violated: set[Kind]) -> Iterator[Row]:
    for cost in _COSTS:
        was, now = (cost.of(side) if side else None for side in (before, after))
        if was is None and now is None:
            continue
        change = _change(was, now, relative=cost.relative)
        cells = (*(_NONE if value is None else cost.written(value) for value in (was, now)), change)
        yield Row(head=cost.name, cells=cells, note="beyond its limit" if violated & {*cost.kinds} else "")


def _change(was: float | None, now: float | None, *, relative: bool) -> str:
    if was is None or now is None:
        return ""
    if not relative:
        return f"{now - was:+z.1f}"
    return f"{now / was - 1:+z.1%}" if was > 0 else ""


def _mean(of: Callable[[Replicate], float]) -> Callable[[Side], float | None]:
    return lambda side: statistics.geometric_mean(map(of, side.replicates)) if side.replicates else None


def _least(of: Callable[[Replicate], float | None]) -> Callable[[Side], float | None]:
    def least(side: Side) -> float | None:
        told = [value for value in map(of, side.replicates) if value is not None]
        return min(told) if told else None

    return least


def _items_per_s(side: Side) -> float | None:
    found = throughput(side.replicates)
    return found.items_per_s if found else None


def _quantile(name: str) -> Callable[[Side], float | None]:
    def of(side: Side) -> float | None:
        found = throughput(side.replicates)
        return getattr(found, name) if found else None

    return of


def _decibels(side: Side) -> float | None:
    return side.accuracy.sqnr_db if side.accuracy else None


def _megabytes(value: float) -> str:
    return f"{value / 1e6:.1f} MB"


def _seconds(value: float) -> str:
    return f"{value:.2f} s"


_COSTS: Sequence[_Cost] = (
    _Cost(name="latency", of=_mean(lambda one: one.latency_s), written=milliseconds),
    _Cost(name="latency of the slowest quarter", of=_mean(lambda one: one.slow_latency_s), written=milliseconds),
    _Cost(name="items per second", of=_items_per_s, written=rate),
    _Cost(name="a pass under that load, p50", of=_quantile("p50_s"), written=milliseconds),
    _Cost(name="a pass under that load, p99", of=_quantile("p99_s"), written=milliseconds),
    _Cost(
        name=Kind.PEAK_MEMORY, of=_least(lambda one: one.peak_rss_bytes), written=_megabytes, kinds=(Kind.PEAK_MEMORY,)
    ),
    _Cost(
        name="memory of the prepared model",
        of=lambda side: side.evidence.footprint.resident_bytes if side.evidence else None,
        written=_megabytes,
    ),
    _Cost(
        name="memory kept at every pass",
        of=_least(lambda one: one.growth_bytes_per_iteration),
        written=lambda value: f"{value / 1024:.1f} KiB",
        kinds=(Kind.MEMORY_GROWTH,),
        relative=False,
    ),
    _Cost(
        name=Kind.ARTEFACT_SIZE,
        of=lambda side: side.evidence.footprint.artefact_bytes if side.evidence else None,
        written=_megabytes,
        kinds=(Kind.ARTEFACT_SIZE,),
    ),
    _Cost(
        name=Kind.FIRST_INFERENCE,
        of=_least(lambda one: one.stages.first_inference_s),
        written=_seconds,
        kinds=(Kind.FIRST_INFERENCE,),
    ),
    _Cost(name=Kind.PREPARE, of=_least(lambda one: one.stages.prepare_s), written=_seconds, kinds=(Kind.PREPARE,)),
    _Cost(
        name=f"{Kind.COMPILE}, with an empty cache",
        of=lambda side: side.evidence.graphs.compile_s if side.evidence and side.evidence.graphs else None,
        written=_seconds,
        kinds=(Kind.COMPILE,),
    ),
    _Cost(name=Kind.IMPORT, of=_least(lambda one: one.stages.import_s), written=_seconds, kinds=(Kind.IMPORT,)),
    _Cost(
        name="SQNR against FP32",
        of=_decibels,
        written=lambda value: f"{value:.1f} dB",
        kinds=(Kind.ACCURACY_DRIFT, Kind.SQNR_LOW, Kind.SQNR_HIGH),
        relative=False,
    ),
    _Cost(
        name="centred cosine",
        of=lambda side: side.accuracy.centred_cosine if side.accuracy else None,
        written=lambda value: f"{value:.6f}",
        kinds=(Kind.COSINE,),
    ),
    _Cost(
        name="decisions as FP32's",
        of=lambda side: side.accuracy.agreement if side.accuracy else None,
        written=lambda value: f"{value:.2%}",
        kinds=(Kind.AGREEMENT,),
    ),
    _Cost(
        name="largest error, of FP32's largest value",
        of=lambda side: side.accuracy.max_error if side.accuracy else None,
        written=lambda value: f"{value:.2g}",
    ),
)
