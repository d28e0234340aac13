"""A comparison of two stacks, for a terminal, as Markdown or as JSON."""

from __future__ import annotations

import math
import statistics
import textwrap
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from perfsuite.explain.changes import evidence_changes
from perfsuite.judge.colour import colour
from perfsuite.records.accuracy import Accuracy
from perfsuite.records.comparison import Gap, Report, Row
from perfsuite.records.outcome import Colour, Outcome, Policy
from perfsuite.records.pair import Pair
from perfsuite.records.speed import Verdict
from perfsuite.report.evidence import change_line
from perfsuite.report.explain import explanation_lines
from perfsuite.report.outcome import fault_lines, reason_words, verdict_words
from perfsuite.report.text import milliseconds

SCHEMA = 3
_STYLES = {
    Colour.GREEN: "",
    Colour.GREY: "dim",
    Colour.YELLOW: "yellow",
    Colour.RED: "red",
}
_SPEED = ("", "A", "B", "B / A", "interval", "verdict")
_COST = ("", "SQNR dB\nA", "\nB", "\nB to A", "peak MB\nA", "\nB", "ready s\nA", "\nB")


def print_report(report: Report, console: Console) -> None:
    """Tables of speed and of outputs and cost; why what differs differs; what only one side has."""
    for line in _head(report):
        console.print(line, highlight=False, markup=False)
    for columns, cells in ((_SPEED, _speed_cells), (_COST, _cost_cells)):
        table = Table(box=SIMPLE_HEAD, padding=0)
        for number, column in enumerate(columns):
            table.add_column(column, justify="left" if number in (0, len(_SPEED) - 1) else "right", no_wrap=True)
        for group, rows in _groups(report).items():
            table.add_row(f"[bold]{group}")
            for row in rows:
                style = _STYLES[colour(row.outcome, Policy())] if columns is _SPEED else ""
                table.add_row(*cells(row), style=style)
        console.print(table)
    for line in _details(report):
        indent = " " * (len(line) - len(line.lstrip()) + 2)
        console.print(textwrap.fill(line, console.width, subsequent_indent=indent), highlight=False, markup=False)


def write_report(report: Report, path: Path) -> None:
    """As the ending of the name says: .md or .json."""
    if path.suffix == ".json":
        path.write_bytes(msgspec.json.format(msgspec.json.encode({"schema": SCHEMA, "report": report}), indent=1))
    else:
        path.write_text(markdown(report), encoding="utf-8")


def markdown(report: Report) -> str:
    """For a job's summary."""
    lines = [*_head(report), ""]
    for columns, cells in ((_SPEED, _speed_cells), (_COST, _cost_cells)):
        lines += [
            f"| {' | '.join(column.strip().replace(chr(10), ' ') for column in columns)} |",
            f"|{'---|' * len(columns)}",
        ]
        for group, rows in _groups(report).items():
            lines.append(f"| **{group}** |{' |' * (len(columns) - 1)}")
            lines += [" ".join(f"| {' | '.join(cells(row))} |".split()) for row in rows]
        lines.append("")
    return "\n".join((*lines, *_details(report))) + "\n"


def _head(report: Report) -> Iterator[str]:
    for letter, side in (("A", report.baseline), ("B", report.candidate)):
        yield f"{letter}  {side.name} ({side.stack.slug}, Python {side.stack.python}), backend {side.backend}"
    counts = Counter(outcome.verdict for outcome in report.outcomes)
    verdicts = ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict if counts[verdict])
    pairs = sum(len(row.pairs) for row in report.rows)
    yield (
        f"{report.machine_slug}: {verdicts or 'nothing to compare'}; {pairs} pairs of processes in "
        f"{report.wall_s:.0f} s; all intervals together hold with {report.coverage:.0%}; "
        f"what matters is more than {report.resolution:.1%}"
    )


def _meanwhile(report: Report) -> Iterator[str]:
    """What the machine and the workers did while pairs were measured: what the intervals are wide for."""
    pairs = [pair for row in report.rows for pair in row.pairs]
    if not pairs:
        return
    blocks = [block for pair in pairs for side in (pair.baseline, pair.candidate) for block in side.blocks]
    conditions = [block.conditions for block in blocks if block.conditions]
    cpu_s = report.threads * sum(sum(block.latencies_ns) for block in blocks) * 1e-9
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
    sides = ([pair.baseline for pair in pairs], [pair.candidate for pair in pairs])
    return [math.expm1(statistics.fmean(side.early_log_ratio for side in both)) for both in sides]


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
    sides = ([pair.baseline for pair in pairs], [pair.candidate for pair in pairs])
    return [f"{statistics.median(side.peak_rss_bytes for side in both) / 1e6:.0f}" for both in sides]


def _ready(pairs: Sequence[Pair]) -> list[str]:
    """Preparing and the first inference, of the first pair: it calibrates for the later ones.

    Kernels that are compiled lie in Inductor's cache by then, since the examination.
    """
    stages = [side.stages for pair in pairs[:1] for side in (pair.baseline, pair.candidate)]
    return [f"{one.prepare_s + one.first_inference_s:.2f}" for one in stages] or ["", ""]


def _details(report: Report) -> Iterator[str]:
    alike: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for row in report.rows:
        alike[verdict_words(row.outcome), *_why(row)].append(row.pairing.id)
    for outcome in report.wrong_modes:
        alike[f"{outcome.verdict}, beside another mode", *fault_lines(outcome)].append(outcome.variant.id)
    for (verdict, *lines), names in alike.items():
        if lines:
            yield f"{', '.join(names)}: {verdict}"
            yield from (f"  {line}" for line in lines)
    yield from _meanwhile(report)
    lacking: dict[tuple[str, str], list[str]] = defaultdict(list)
    for one in report.one_sided:
        sides = (("A", one.baseline), ("B", one.candidate))
        reasons = "; ".join(f"not in {letter}: {_lack(gap)}" for letter, gap in sides if gap)
        lacking[str(one.outcome.verdict), reasons].append(one.name)
    for (word, reasons), names in lacking.items():
        yield f"{word} ({len(names)}), {reasons}: {', '.join(names)}"


def _lack(gap: Gap) -> str:
    failed = [f"{one.variant.mode} is wrong or fails" for one in gap.unusable]
    untried = [f"no time was left to try {variant.mode}" for variant in gap.untried]
    return "; ".join((*gap.unsupported, *failed, *untried))


def _why(row: Row) -> Iterator[str]:
    """The reason, unless the figures say it all; what is wrong or lost; why it differs; evidence that differs."""
    speed = row.outcome.speed
    if speed is not None and speed.verdict is not Verdict.UNCHANGED and not row.outcome.failure:
        yield reason_words(speed)
    yield from fault_lines(row.outcome)
    if speed is not None and speed.verdict in (Verdict.REGRESSED, Verdict.IMPROVED) and row.explanation:
        yield from explanation_lines(row.explanation)
    elif row.examination and row.pairing.baseline.backend == row.pairing.candidate.backend:
        before, after = row.examination.baseline.evidence, row.examination.candidate.evidence
        yield from map(change_line, evidence_changes(before, after))
