"""A comparison of two stacks, for a terminal, as Markdown or as JSON."""

from __future__ import annotations

import math
import statistics
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from perfsuite.backends.registry import slug_of
from perfsuite.explain.changes import evidence_changes
from perfsuite.judge.colour import colour
from perfsuite.records.accuracy import Accuracy
from perfsuite.records.comparison import Gap, Report, Row
from perfsuite.records.measurement import Replicate
from perfsuite.records.outcome import Outcome, Policy
from perfsuite.records.pair import Pair
from perfsuite.records.speed import Verdict
from perfsuite.records.throughput import throughput
from perfsuite.report.evidence import change_line
from perfsuite.report.explain import explanation_lines
from perfsuite.report.markdown import escaped, fitted, items, table
from perfsuite.report.outcome import fault_lines, reason_words, verdict_words
from perfsuite.report.placement import placement_sentence
from perfsuite.report.text import STYLES, WIDTH, milliseconds, wrapped
from perfsuite.report.throughput import rate, slow_lines

SCHEMA = 5
_SPEED = ("", "A", "B", "B / A", "interval", "verdict")
_LOAD = ("", "items/s\nA", "\nB", "p50 ms\nA", "\nB", "p90 ms\nA", "\nB", "p99 ms\nA", "\nB")
_COST = ("", "SQNR dB\nA", "\nB", "\nB to A", "peak MB\nA", "\nB", "ready s\nA", "\nB")


def print_report(report: Report, console: Console) -> None:
    """Tables of speed and of outputs and cost; why what differs differs; what only one side has."""
    width = min(console.width, WIDTH)
    for line in wrapped(_head(report), width):
        console.print(line, highlight=False, markup=False)
    for columns, cells in _tables(report):
        table = Table(box=SIMPLE_HEAD, padding=0)
        for number, column in enumerate(columns):
            table.add_column(column, justify="left" if number in (0, len(_SPEED) - 1) else "right", no_wrap=True)
        for group, rows in _groups(report).items():
            table.add_row(f"[bold]{group}")
            for row in rows:
                style = STYLES[colour(row.outcome, Policy())] if columns is _SPEED else ""
                table.add_row(*cells(row), style=style)
        console.print(table, width=width)
    for line in wrapped(_details(report), width):
        console.print(line, highlight=False, markup=False)


def write_report(report: Report, path: Path) -> None:
    """As the ending of the name says: .md or .json."""
    if path.suffix == ".json":
        path.write_bytes(msgspec.json.format(msgspec.json.encode({"schema": SCHEMA, "report": report}), indent=1))
    else:
        path.write_text(markdown(report), encoding="utf-8")


def markdown(report: Report, most_bytes: int = sys.maxsize) -> str:
    """For a job's summary, or a file; nothing in it but the tables is Markdown."""
    parts = ["\n".join(items(_head(report)))]
    for columns, cells in _tables(report):
        rows: list[list[str]] = []
        for group, members in _groups(report).items():
            rows.append([f"**{escaped(group)}**", *[""] * (len(columns) - 1)])
            rows += [[escaped(cell) for cell in cells(row)] for row in members]
        parts.append("\n".join(table([escaped(column) for column in columns], rows)))
    for line in items(_details(report)):
        if line.startswith("-"):
            parts.append(line)
        else:
            parts[-1] += f"\n{line}"
    return fitted(parts, most_bytes)


def _tables(report: Report) -> Iterator[tuple[tuple[str, ...], Callable[[Row], list[str]]]]:
    """Speed; what instances get done, where there are such; outputs and cost. Columns, and a row's cells."""
    yield _SPEED, _speed_cells
    if any(throughput(one) for row in report.rows for one in _sides(row.pairs)):
        yield _LOAD, _load_cells
    yield _COST, _cost_cells


def _head(report: Report) -> Iterator[str]:
    for letter, side in (("A", report.baseline), ("B", report.candidate)):
        yield f"{letter}  {side.name} ({slug_of(side.stack)}, Python {side.stack.python}), backend {side.backend}"
    yield verdict_line(report)
    sentences = [placement_sentence(side.placement) for side in (report.baseline, report.candidate)]
    if sentences[0] == sentences[1]:
        yield sentences[0]
    else:
        yield from (f"{letter}: {sentence}" for letter, sentence in zip("AB", sentences, strict=True))


def verdict_line(report: Report) -> str:
    """What came of all of it, in how much time."""
    counts = Counter(outcome.verdict for outcome in report.outcomes)
    verdicts = ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict if counts[verdict])
    pairs = sum(len(row.pairs) for row in report.rows)
    slugs = " and ".join(dict.fromkeys((report.baseline.machine_slug, report.candidate.machine_slug)))
    return (
        f"{slugs}: {verdicts or 'nothing to compare'}; {pairs} pairs of processes in "
        f"{report.wall_s:.0f} s; all intervals together hold with {report.coverage:.0%}; "
        f"what matters is more than {report.resolution:.1%}"
    )


def meanwhile_lines(report: Report) -> Iterator[str]:
    """What the machine and the workers did while pairs were measured: what the intervals are wide for."""
    pairs = [pair for row in report.rows for pair in row.pairs]
    if not pairs:
        return
    blocks = [[block for one in replicates for block in one.blocks] for replicates in _sides(pairs)]
    conditions = [block.conditions for side in blocks for block in side if block.conditions]
    cpu_s = sum(
        len(side.placement.cpus) * sum(block.duration_s for block in mine)
        for side, mine in zip((report.baseline, report.candidate), blocks, strict=True)
    )
    parts = [
        f"{name} {sum(seconds) / cpu_s:.1%}"
        for name, seconds in (
            ("stolen by the hypervisor", (one.steal_s for one in conditions)),
            ("used by other processes", (one.others_cpu_s for one in conditions)),
            ("used by the worker that stood still", (one.idle_cpu_s for one in conditions)),
        )
    ]
    yield f"of the CPU time of the timed blocks: {', '.join(parts)}"
    coldest = max((row for row in report.rows if row.pairs), key=lambda row: max(_early(row.pairs)))
    whole, most = (" and ".join(f"{part:+.1%}" for part in _early(some)) for some in (pairs, coldest.pairs))
    yield (
        f"the first half of the timed blocks took, against the second, {whole} (A and B), most in "
        f"{coldest.pairing.id}, {most}: what a longer warm-up might take away"
    )


def _early(pairs: Sequence[Pair]) -> list[float]:
    """How much longer the first half of the blocks took than the second, of both sides."""
    return [math.expm1(statistics.fmean(side.early_log_ratio for side in both)) for both in _sides(pairs)]


def _sides(pairs: Sequence[Pair]) -> tuple[list[Replicate], list[Replicate]]:
    return [pair.baseline for pair in pairs], [pair.candidate for pair in pairs]


def _groups(report: Report) -> dict[str, list[Row]]:
    """By model and workload, in the report's order."""
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in report.rows:
        groups[f"{row.pairing.candidate.model} {row.pairing.candidate.workload}"].append(row)
    return groups


def _label(row: Row) -> str:
    one, other = row.pairing.baseline, row.pairing.candidate
    if one.mode == other.mode:
        return f"{one.mode} {one.precision}"
    return f"{one.precision}\n  {one.mode} -> {other.mode}"  # on one line it would be too wide


def _speed_cells(row: Row) -> list[str]:
    found = row.outcome.speed
    if found is None or found.ratio is None or found.baseline_s is None or found.candidate_s is None:
        return [_label(row), "", "", "", "", _verdict(row.outcome)]
    interval = f"{found.interval.low:.3f}..{found.interval.high:.3f}" if found.interval else ""
    latencies = [milliseconds(found.baseline_s), milliseconds(found.candidate_s)]
    return [_label(row), *latencies, f"{found.ratio:.3f}", interval, _verdict(row.outcome)]


def _verdict(outcome: Outcome) -> str:
    """In one or two words, which a column of a table has room for."""
    lost = outcome.lost and outcome.verdict in (Verdict.ERROR, Verdict.REGRESSED)
    return f"{outcome.verdict}, lost" if lost else str(outcome.verdict)


def _load_cells(row: Row) -> list[str]:
    found = [throughput(one) for one in _sides(row.pairs)]
    rates = [rate(one.items_per_s) if one else "" for one in found]
    quantiles = [(one.p50_s, one.p90_s, one.p99_s) if one else () for one in found]
    cells = [f"{seconds * 1e3:.3g}" for both in zip(*quantiles, strict=False) for seconds in both]
    return [_label(row), *rates, *cells, *[""] * (len(_LOAD) - 1 - len(rates) - len(cells))]


def _cost_cells(row: Row) -> list[str]:
    seen = row.examination
    decibels = ["", "", ""]
    if seen:
        decibels = [_decibels(one) for one in (seen.baseline.accuracy, seen.candidate.accuracy, seen.agreement)]
    return [_label(row), *decibels, *_memory(row.pairs), *_ready(row.pairs)]


def _decibels(accuracy: Accuracy | None) -> str:
    if accuracy is not None and accuracy.max_error == 0:
        return "equal"
    return "-" if accuracy is None or accuracy.sqnr_db is None else f"{accuracy.sqnr_db:.1f}"


def _memory(pairs: Sequence[Pair]) -> list[str]:
    if not pairs:
        return ["", ""]
    return [f"{statistics.median(side.peak_rss_bytes for side in both) / 1e6:.0f}" for both in _sides(pairs)]


def _ready(pairs: Sequence[Pair]) -> list[str]:
    """Preparing and the first inference, of the first pair: it calibrates for the later ones.

    Kernels that are compiled lie in Inductor's cache by then, since the examination.
    """
    stages = [side.stages for pair in pairs[:1] for side in (pair.baseline, pair.candidate)]
    return [f"{one.prepare_s + one.first_inference_s:.2f}" for one in stages] or ["", ""]


def _details(report: Report) -> Iterator[str]:
    alike: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for row in report.rows:
        alike[verdict_words(row.outcome), *why_lines(row)].append(row.pairing.id)
    for outcome in report.wrong_modes:
        alike[f"{outcome.verdict}, beside another mode", *fault_lines(outcome)].append(outcome.variant.id)
    for (verdict, *lines), names in alike.items():
        if lines:
            yield f"{', '.join(names)}: {verdict}"
            yield from (f"  {line}" for line in lines)
    yield from meanwhile_lines(report)
    lacking: dict[tuple[str, str], list[str]] = defaultdict(list)
    for one in report.one_sided:
        sides = (("A", one.baseline), ("B", one.candidate))
        reasons = "; ".join(f"not in {letter}: {gap_words(gap)}" for letter, gap in sides if gap)
        lacking[str(one.outcome.verdict), reasons].append(one.name)
    for (word, reasons), names in lacking.items():
        yield f"{word} ({len(names)}), {reasons}: {', '.join(names)}"


def gap_words(gap: Gap) -> str:
    """Why a side has nothing to compare."""
    failed = [f"{one.variant.mode} is wrong or fails" for one in gap.unusable]
    untried = [f"no time was left to try {variant.mode}" for variant in gap.untried]
    return "; ".join((*gap.unsupported, *failed, *untried))


def why_lines(row: Row) -> Iterator[str]:
    """The reason, unless the figures say it all; what is wrong or lost; why it differs; evidence that differs."""
    speed = row.outcome.speed
    if speed is not None and speed.verdict is not Verdict.UNCHANGED and not row.outcome.failure:
        yield reason_words(speed)
    yield from fault_lines(row.outcome)
    for letter, side in zip("AB", _sides(row.pairs), strict=True):
        if found := throughput(side):
            yield from (f"{letter}: {line}" for line in slow_lines(found))
    if speed is not None and speed.verdict in (Verdict.REGRESSED, Verdict.IMPROVED) and row.explanation:
        yield from explanation_lines(row.explanation)
    elif row.examination and row.pairing.baseline.backend == row.pairing.candidate.backend:
        before, after = row.examination.baseline.evidence, row.examination.candidate.evidence
        yield from map(change_line, evidence_changes(before, after))
