"""One timing run, stage by stage: measure, check, judge. What pytest's items then only report."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from perfsuite.explain.causes import explain
from perfsuite.explain.changes import evidence_changes
from perfsuite.judge.session import judge_results
from perfsuite.measure import campaign
from perfsuite.measure.lock import machine_lock
from perfsuite.records.baseline import Baseline
from perfsuite.records.measurement import Measurement
from perfsuite.report.progress import progress

if TYPE_CHECKING:
    from perfsuite.measure.rig import Rig
    from perfsuite.options import Run
    from perfsuite.spec import Variant


def measure(run: Run, rig: Rig, variants: Sequence[Variant], journals: Path) -> None:
    """Measure and check the variants; the run's results and its journal are there afterwards.

    Raises PerfsuiteError if there is nothing to resume or the machine is in use.
    """
    start_s = time.perf_counter()
    with machine_lock("pytest --benchmark-only"):
        how = campaign.Journal.resume if run.resume else campaign.Journal.create
        run.journal = journal = how(journals, campaign.header(rig))
        run.resumed = Counter(entry.variant for entry in journal.entries)
        left = campaign.steps(variants, run.settings.replicates, [entry.variant for entry in journal.entries])
        unchecked = campaign.unchecked(variants, journal, observing=run.observing)
        try:
            with progress(len(left) + len(unchecked)) as on_step:
                run.results = campaign.run(rig, variants, journal, on_step, observing=run.observing)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(
                f"kept {len(journal.entries)} replicates in {journal.path.name}; --resume goes on from there"
            ) from None
    run.unmeasured = campaign.unmeasured(variants, run.settings.replicates, journal, observing=run.observing)
    run.campaign_s = time.perf_counter() - start_s


def judge(run: Run, rig: Rig) -> None:
    """Hold what was measured against its baselines; the run's outcomes and explanations are there afterwards."""
    run.outcomes |= judge_results(
        run.results,
        lambda measurement: run.baselines.find(measurement, stack_slug=run.baseline_stack),
        expected=rig.expectation,
        gate=rig.objections,
        regression_ratio=run.settings.regression_ratio,
    )
    for variant, outcome in run.outcomes.items():
        result, stored = run.results.get(variant), outcome.speed and outcome.speed.baseline
        if isinstance(result, Measurement) and isinstance(stored, Baseline):
            run.explanations[variant] = explain(stored.measurement, result)
            if stored.measurement.evidence and result.evidence:
                run.evidence_changes[variant] = evidence_changes(stored.measurement.evidence, result.evidence)
