"""What each process has found, for the tables at the end of the run."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from perfsuite.backends.registry import variants
from perfsuite.models import load_models
from perfsuite.options import Run
from perfsuite.records.accuracy import Accuracy
from perfsuite.records.evidence import Evidence
from perfsuite.records.explanation import EvidenceChange
from perfsuite.report.github import Annotation
from perfsuite.spec import WORKLOADS, Variant


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What one process tells the one that prints."""

    annotations: list[Annotation]
    accuracies: list[tuple[Variant, Accuracy]]
    observed: list[tuple[Variant, Evidence]]
    evidence_changes: list[tuple[Variant, tuple[EvidenceChange, ...]]]


def packed(run: Run) -> bytes:
    """The findings of one of several processes."""
    findings = Findings(
        annotations=run.annotations,
        accuracies=run.accuracies,
        observed=run.observed,
        evidence_changes=list(run.evidence_changes.items()),
    )
    return msgspec.json.encode(findings)


def unpack(run: Run, found: bytes) -> None:
    """Add what a process has found to what is known already, in the order of the matrix."""
    findings = msgspec.json.decode(found, type=Findings)
    run.annotations = [*run.annotations, *findings.annotations]
    everything = variants(load_models(run.settings.models), (workload.name for workload in WORKLOADS))
    place = {variant: number for number, variant in enumerate(everything)}
    run.accuracies = sorted((*run.accuracies, *findings.accuracies), key=lambda one: place[one[0]])
    run.observed = sorted((*run.observed, *findings.observed), key=lambda one: place[one[0]])
    changes = (*run.evidence_changes.items(), *findings.evidence_changes)
    run.evidence_changes = dict(sorted(changes, key=lambda one: place[one[0]]))
