"""Does a comparison find nothing where there is nothing, and what is there where something is?

One stack is compared with itself, and with itself slowed by a few percent of real work after each
forward pass; everything else is what `perfsuite compare` does, but for outputs and evidence.
"""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from perfsuite.compare.pairings import Party
from perfsuite.compare.request import Request
from perfsuite.compare.run import compare_stacks
from perfsuite.errors import WorkerError
from perfsuite.measure.clock import MeasuringClock
from perfsuite.measure.rig import Rig
from perfsuite.measure.scratch import Scratch
from perfsuite.records.pair import Pair
from perfsuite.records.speed import Speed, Verdict
from perfsuite.report.progress import within_budget
from perfsuite.spec import Mode, Precision, Variant

if TYPE_CHECKING:
    from perfsuite.settings import Settings


def _variant(model: str, mode: Mode) -> Variant:
    return Variant(model=model, backend="stock", mode=mode, precision=Precision.FP32, workload="latency")


#: 10 to 200 ms on two cores.
VARIANTS = tuple(
    _variant(model, mode) for model in ("minilm", "resnet50", "bert-base") for mode in (Mode.EAGER, Mode.TORCHSCRIPT)
)
#: Of them those that are slowed, and by which fault; the resolution is what has to be told from 1.
SLOWED = VARIANTS[1::2]
FAULTS = {"slower-3-percent": 0.01, "slower-1-percent": 0.005}
_ALIKE_RESOLUTION = 0.01
#: Seconds of measuring a variant.
_BUDGET_S = 60.0


def run(settings: Settings, *, runs: int) -> int:
    """Print how often what was called, and how narrow the intervals got; 1 if anything was called wrongly."""
    false_alarms = _alike(settings, runs)
    missed = sum(_slowed(settings, fault, trials=2 * runs) for fault in FAULTS)
    return 1 if false_alarms or missed else 0


def _alike(settings: Settings, runs: int) -> int:
    verdicts: dict[Variant, Counter[Verdict]] = defaultdict(Counter)
    widths: dict[Variant, list[float]] = defaultdict(list)
    measured_s: dict[Variant, list[float]] = defaultdict(list)
    latencies_s: dict[Variant, float] = {}
    for _ in range(runs):
        for found, pairs in compared(settings, VARIANTS, None, _ALIKE_RESOLUTION):
            verdicts[found.variant][found.verdict] += 1
            assert found.interval is not None
            widths[found.variant].append((found.interval.high - found.interval.low) / 2)
            measured_s[found.variant].append(sum(pair.measured_s for pair in pairs))
            latencies_s[found.variant] = found.baseline_s or 0.0
    print(f"a stack against itself, {runs} runs of {len(VARIANTS)} variants, resolution {_ALIKE_RESOLUTION:.1%}")
    for variant in VARIANTS:
        print(
            f"  {variant.id}, {latencies_s[variant] * 1e3:.0f} ms: {_counts(verdicts[variant])}; half-width "
            f"{statistics.median(widths[variant]):.2%} (at most {max(widths[variant]):.2%}) after "
            f"{statistics.median(measured_s[variant]):.0f} s of measuring (at most {max(measured_s[variant]):.0f} s)"
        )
    different = sum(count[verdict] for count in verdicts.values() for verdict in (Verdict.IMPROVED, Verdict.REGRESSED))
    print(f"  called different: {different} of {runs * len(VARIANTS)}")
    return different


def _slowed(settings: Settings, fault: str, *, trials: int) -> int:
    """How many of the trials did not call the slowed variant slower."""
    slower: Counter[Variant] = Counter()
    ratios: dict[Variant, list[float]] = defaultdict(list)
    for _ in range(trials):
        for found, _ in compared(settings, SLOWED, fault, FAULTS[fault]):
            slower[found.variant] += found.verdict is Verdict.REGRESSED
            ratios[found.variant].append(found.ratio or 0.0)
    print(f"{fault}, {trials} trials, resolution {FAULTS[fault]:.1%}")
    for variant in SLOWED:
        print(
            f"  {variant.id}: called slower in {slower[variant]} of {trials}, ratio "
            f"{statistics.median(ratios[variant]):.4f} ({min(ratios[variant]):.4f} to {max(ratios[variant]):.4f})"
        )
    return trials * len(SLOWED) - slower.total()


def compared(
    settings: Settings, variants: Sequence[Variant], fault: str | None, resolution: float
) -> list[tuple[Speed, tuple[Pair, ...]]]:
    """What became of each variant's speed, and its pairs; WorkerError if one could not be compared."""
    request = Request(
        fits=frozenset(variants).__contains__,
        selection=(),
        workloads=("latency",),
        resolution=resolution,
        examining=False,
    )
    clock = MeasuringClock(_BUDGET_S * len(variants))
    with (
        Scratch() as folder,
        Rig(settings) as one,
        Rig(settings, planted=fault) as other,
        within_budget(clock) as say,
    ):
        baseline, candidate = (Party(name=name, backend="stock", rig=rig) for name, rig in (("A", one), ("B", other)))
        report = compare_stacks(baseline, candidate, request, journals=folder, resume=False, clock=clock, say=say)
    found = []
    for row in report.rows:
        speed = row.outcome.speed
        # A comparison that is not there alarms nobody.
        if row.outcome.failure or speed is None or speed.interval is None:
            raise WorkerError(f"{row.pairing.id}: {row.outcome.failure or 'too slow for two pairs in its time'}")
        found.append((speed, row.pairs))
    return found


def _counts(verdicts: Counter[Verdict]) -> str:
    return ", ".join(f"{count} {verdict}" for verdict, count in verdicts.items())
