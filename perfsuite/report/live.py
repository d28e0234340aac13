"""What a night shows while it runs: what runs, what is decided, and how long it may still take. Pure."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from perfsuite.measure.campaign import Journal
from perfsuite.measure.clock import Clock
from perfsuite.measure.plan import CHECK_S, Plan
from perfsuite.records.measurement import Failure
from perfsuite.records.outcome import Outcome
from perfsuite.records.pair import Pair
from perfsuite.report.text import WIDTH, milliseconds, minutes
from perfsuite.spec import Variant, workload

_COLUMNS = ("variant", "timed", "latency", "outputs", "pairs", "ratio", "verdict")
#: Lines of a screen that are not a variant's: the table's head, what runs, what is left, and one of a shell's.
_OTHER_LINES = 7
#: From this part of the work on, how quickly it went tells how quickly the rest will (judgement).
_TELLING = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """A terminal's, in columns and lines."""

    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NightRow:
    """How far one variant is: of ``planned`` workers ``measured`` have been timed, of its pairs so many.

    ``ratio`` is that of the pairs so far, and no verdict; ``decided`` is the verdict where there is one.
    """

    variant: Variant
    planned: int
    measured: int = 0
    latency_s: float | None = None
    right: bool | None = None
    failed: bool = False
    pairs: int = 0
    ratio: float | None = None
    decided: str = ""

    @property
    def is_begun(self) -> bool:
        return bool(self.measured or self.failed or self.pairs)


def night_rows(
    variants: Sequence[Variant], journal: Journal, replicates: int, outcomes: Mapping[Variant, Outcome]
) -> list[NightRow]:
    """From what is journalled; ``outcomes`` are of those that are decided."""
    timed: dict[Variant, list[float]] = {}
    for entry in journal.entries:
        timed.setdefault(entry.variant, []).append(entry.replicate.latency_s)
    log_ratios: dict[Variant, list[float]] = {}
    for pair in journal.of(Pair):
        log_ratios.setdefault(pair.pairing.candidate, []).append(pair.log_ratio)
    checks, failed = journal.checks, {one.variant for one in journal.of(Failure)}
    rows = []
    for variant in variants:
        mine, pairs, outcome = timed.get(variant, []), log_ratios.get(variant, []), outcomes.get(variant)
        rows.append(
            NightRow(
                variant=variant,
                planned=1 if workload(variant.workload).once else replicates,
                measured=len(mine),
                latency_s=statistics.geometric_mean(mine) if mine else None,
                right=not checks[variant].wrong if variant in checks else None,
                failed=variant in failed,
                pairs=len(pairs),
                ratio=math.exp(statistics.fmean(pairs)) if pairs else None,
                decided=str(outcome.verdict) if outcome else "",
            )
        )
    return rows


def night_table(rows: Sequence[NightRow], running: Variant | None, words: str, left: str, size: Size) -> Table:
    """What is done, those around whoever runs, and what is left; all are counted."""
    table = Table(*_COLUMNS, box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, width=min(size.width, WIDTH))
    table.title, table.title_justify = Text(words, style="bold", overflow="ellipsis", no_wrap=True), "left"
    table.caption, table.caption_justify = Text(f"{_counted(rows)}; {left}", no_wrap=True), "left"
    for row in _shown(rows, running, max(1, size.height - _OTHER_LINES)):
        style = "bold" if row.variant == running else "" if row.is_begun else "dim"
        table.add_row(Text(row.variant.id, overflow="ellipsis", no_wrap=True), *_cells(row), style=style)
    return table


def _shown(rows: Sequence[NightRow], running: Variant | None, most: int) -> list[NightRow]:
    """A window of the rows around the one that runs, in their order."""
    at = next((number for number, row in enumerate(rows) if row.variant == running), 0)
    first = max(0, min(at - most // 2, len(rows) - most))
    return list(rows[first : first + most])


def _cells(row: NightRow) -> list[str]:
    return [
        "failed" if row.failed else f"{row.measured}/{max(row.measured, row.planned)}",
        milliseconds(row.latency_s) if row.latency_s is not None else "",
        "" if row.right is None else "right" if row.right else "wrong",
        str(row.pairs or ""),
        f"{row.ratio:.3f}" if row.ratio is not None else "",
        row.decided,
    ]


def _counted(rows: Sequence[NightRow]) -> str:
    measured = sum(row.measured >= row.planned or row.failed for row in rows)
    wrong = sum(row.right is False for row in rows)
    failed = sum(row.failed for row in rows)
    faults = "".join(f", {count} {word}" for count, word in ((wrong, "wrong"), (failed, "failed")) if count)
    return f"{measured} of {len(rows)} measured{faults}"


@dataclass(slots=True, kw_only=True)
class NightScreen:
    """Draws a night that is measured; ``each_s`` is what a worker of each variant is expected to take.

    ``clock`` is of measuring the noisiest again, once all is measured that was planned; None where nothing is.
    """

    variants: Sequence[Variant]
    journal: Journal
    replicates: int
    plan: Plan
    each_s: Mapping[Variant, float]
    clock: Clock | None
    #: What was expected of the whole when it began, and when that was.
    _expected_s: float = field(default=0.0, init=False)
    _begun_s: float = field(default_factory=time.monotonic, init=False)

    def measuring(self, variant: Variant | None, size: Size) -> Table:
        """Told each step as it starts, and the end by None."""
        words = f"measuring {variant.id}" if variant else "measured"
        return night_table(self._rows(), variant, words, self.left(), size)

    def left(self) -> str:
        """How long it may still take."""
        to_do_s = sum(
            max(0, row.planned - row.measured) * self.each_s[row.variant] + (CHECK_S if row.right is None else 0.0)
            for row in self._rows()
            if not row.failed
        )
        self._expected_s = self._expected_s or to_do_s
        left_s = remaining_s(self._expected_s, to_do_s, time.monotonic() - self._begun_s)
        left_s = max(left_s, self.clock.left_s if self.clock else 0.0)
        confirming = f", then at most {minutes(self.plan.confirm_s)} to confirm" if self.plan.confirm_s else ""
        return f"about {minutes(left_s)} left to measure{confirming}"

    def _rows(self) -> list[NightRow]:
        return night_rows(self.variants, self.journal, self.replicates, {})


def confirming_table(rows: Sequence[NightRow], words: str, clock: Clock, size: Size) -> Table:
    """Told what is about to be done; those that are not decided come first."""
    left = f"at most {minutes(clock.left_s)} left to confirm"
    return night_table(sorted(rows, key=lambda row: bool(row.decided)), None, words, left, size)


def remaining_s(expected_s: float, to_do_s: float, elapsed_s: float) -> float:
    """What is left to do, at the pace so far once that tells anything."""
    done_s = expected_s - to_do_s
    pace = elapsed_s / done_s if done_s > _TELLING * expected_s > 0 else 1.0
    return to_do_s * pace
