"""What a search for better settings found: a table, and lines to paste."""

from __future__ import annotations

import shlex
import statistics
from collections.abc import Iterator, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from perfsuite.records.measurement import Replicate
from perfsuite.records.placement import Placement
from perfsuite.records.throughput import throughput
from perfsuite.records.tuning import Candidate, Trial, Tuning
from perfsuite.report.placement import placement_sentence
from perfsuite.report.throughput import rate
from perfsuite.stats.location import quantile

#: They leave the setting 45 of 100 columns: the longest assignment.
_COLUMNS = ("setting", "ms", "p99 ms", "items/s", "ratio", "interval", "verdict")


def print_tuning(tuning: Tuning, console: Console) -> None:
    """The current setting, every candidate beside it, then the best lines."""
    where = tuning.placement
    pairs = sum(len(trial.row.pairs) for trial in tuning.trials if trial.row)
    for line in (
        f"{tuning.variant.id} on {tuning.machine_slug}: {pairs} pairs of processes in {tuning.wall_s:.0f} s; all "
        f"intervals together hold with {tuning.coverage:.0%}; what matters is more than {tuning.resolution:.1%}",
        f"now: {where.instances} x {where.threads}, {placement_sentence(where)}",
        "ms is the time for each pass that any instance makes; 99 % of passes take no longer than p99",
    ):
        console.print(line, highlight=False, markup=False)
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for number, column in enumerate(_COLUMNS):
        left = number in (0, len(_COLUMNS) - 1)
        table.add_column(column, justify="left" if left else "right", overflow="fold", no_wrap=number > 0)
    if beside := [pair.baseline for trial in tuning.trials if trial.row for pair in trial.row.pairs]:
        table.add_row("now", *_figures(beside), "", "", "")
    for trial in tuning.trials:
        table.add_row(*_cells(trial, tuning), style="green" if trial.gain else "")
    console.print(table)
    for line in best_lines(tuning):
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def setting(candidate: Candidate, *, placement: Placement, preload: tuple[str, ...]) -> str:
    """What it changes of the current setting, as one would write it."""
    same = (candidate.instances, candidate.threads) == (placement.instances, placement.threads)
    shape = [] if same else [f"{candidate.instances} x {candidate.threads}"]
    libraries = _preload(candidate) if candidate.preload != preload else []
    return " ".join((*shape, *_assignments(candidate), *libraries))


def best_lines(tuning: Tuning) -> Iterator[str]:
    """Variables and options, to paste before and after what is run."""
    most, shortest = tuning.most_items, tuning.shortest_pass
    if most is None:
        yield "nothing is surely faster than what is set now; a larger --budget may find less"
        return
    yield f"most items per second ({most.gain:.3f} of the time for each): {_line(most.candidate)}"
    if shortest is None:
        yield "shortest pass: nothing of one instance is surely faster than what is set now"
    elif shortest is not most:
        yield f"shortest pass ({shortest.gain:.3f} of the time): {_line(shortest.candidate)}"


def _line(candidate: Candidate) -> str:
    options = f"pytest --benchmark-only --instances {candidate.instances} --threads {candidate.threads}"
    return " ".join((*_assignments(candidate), options, *_preload(candidate)))


def _preload(candidate: Candidate) -> list[str]:
    return [shlex.quote(f"--preload={','.join(candidate.preload)}")] if candidate.preload else []


def _assignments(candidate: Candidate) -> list[str]:
    return [f"{name}={shlex.quote(value)}" for name, value in candidate.variables.items()]


def _cells(trial: Trial, tuning: Tuning) -> list[str]:
    name = setting(trial.candidate, placement=tuning.placement, preload=tuning.preload)
    if trial.row is None:
        return [name, *[""] * (len(_COLUMNS) - 2), "no time was left"]
    outcome, pairs = trial.row.outcome, trial.row.pairs
    speed = outcome.speed
    if outcome.failure or speed is None or not pairs:
        return [name, *[""] * (len(_COLUMNS) - 2), "failed" if outcome.failure else "no time was left"]
    interval = f"{speed.interval.low:.3f}..{speed.interval.high:.3f}" if speed.interval else ""
    ratio = f"{speed.ratio:.3f}" if speed.ratio is not None else ""
    return [name, *_figures([pair.candidate for pair in pairs]), ratio, interval, str(speed.verdict)]


def _figures(replicates: Sequence[Replicate]) -> list[str]:
    """The time for a pass, its 99 % quantile, and the items per second of instances that started together."""
    mean_s = statistics.geometric_mean(one.latency_s for one in replicates)
    latencies_s = [latency * 1e-9 for one in replicates for latency in one.latencies_ns]
    done = throughput(replicates)
    told = (_milliseconds(seconds) for seconds in (mean_s, quantile(latencies_s, 0.99)))
    return [*told, rate(done.items_per_s) if done else ""]


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1e3:.3g}"
