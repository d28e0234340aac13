"""Baselines in words: which one, why none, and what was accepted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from perfsuite.records.baseline import Acceptance, AcceptedFile, Baseline, Difference, Incomparable, Lack, Missing
from perfsuite.records.speed import Verdict
from perfsuite.spec import Variant

_DIGEST_DIGITS = 12  # as many as git shows of a commit, and more than enough to tell two apart
_DAY = len("2026-01-02")
_FIELDS = {"cpu_model": "CPU", "physical_cores": "cores", "isa": "instruction sets"}


def lack_line(lack: Missing | Incomparable) -> str:
    """Why there is nothing to hold a measurement against."""
    if isinstance(lack, Incomparable):
        return "; ".join(_other_work(field) for field in lack.fields)
    has = f"this machine class has baselines of {', '.join(lack.stacks)}"
    match lack.kind:
        case Lack.NO_STACK:
            return f"no baseline of the stack that was asked for; {has}"
        case Lack.NO_VARIANT:
            return f"no baseline of this variant; {has}"
        case Lack.NO_CLASS:
            line = (
                f"no baseline for this machine class ({lack.machine_slug}) yet; "
                "--baseline-update-new accepts what was measured"
            )
            if lack.nearest is None:
                return line
            differences = "; ".join(_class_difference(field) for field in lack.nearest_differences)
            return f"{line}; nearest: {lack.nearest}, which differs in {differences}"


def baseline_lines(found: Sequence[Baseline | Missing | Incomparable], folder: str) -> list[str]:
    """The end of a run: each stack that was held against, each reason why none was, and how to accept."""
    held = [one for one in found if isinstance(one, Baseline)]
    lacks = [one for one in found if not isinstance(one, Baseline)]
    lines = _held_lines(held) + _lack_lines(lacks)
    if any(not _is_of_class(lack) for lack in lacks):
        lines.append(
            f"to accept what was measured into {folder}: --baseline-update, "
            "or --baseline-update-new for what has no baseline yet"
        )
    return lines


def baseline_words(baseline: Baseline) -> str:
    """The stack, and the day on which its measurement was accepted."""
    return f"{baseline.stack_slug}{_accepted([baseline.accepted_at or ''])}"


def acceptance_lines(acceptance: Acceptance) -> list[str]:
    """What went into each file, and what became of evidence and of variants that were given up."""
    return [line for file in acceptance.files for line in _file_lines(file)]


def _held_lines(held: Iterable[Baseline]) -> list[str]:
    moments: dict[str, list[str]] = {}
    for baseline in held:
        moments.setdefault(baseline.stack_slug, []).append(baseline.accepted_at or "")
    return [f"held against {slug}{_accepted(its)}: {len(its)}" for slug, its in moments.items()]


def _lack_lines(lacks: Iterable[Missing | Incomparable]) -> list[str]:
    """Each reason once with its count. Variants may have other nearest machine classes: the most frequent is named."""
    by_reason: dict[str, Counter[Missing | Incomparable]] = {}
    for lack in lacks:
        by_reason.setdefault(Lack.NO_CLASS if _is_of_class(lack) else lack_line(lack), Counter())[lack] += 1
    lines = []
    for alike in by_reason.values():
        ((lack, _),) = alike.most_common(1)
        verdict = Verdict.INCOMPARABLE if isinstance(lack, Incomparable) else Verdict.MISSING_BASELINE
        lines.append(f"{verdict} ({alike.total()}): {lack_line(lack)}")
    return lines


def _is_of_class(lack: Missing | Incomparable) -> bool:
    return isinstance(lack, Missing) and lack.kind is Lack.NO_CLASS


def _file_lines(file: AcceptedFile) -> Iterable[str]:
    yield f"accepted {len(file.accepted)} into {file.name}"
    if file.kept_evidence:
        yield f"  kept the stored evidence of {len(file.kept_evidence)}: nothing observed replaces it"
    if file.dropped_evidence:
        yield (
            f"  dropped the stored evidence of {len(file.dropped_evidence)}: it was observed with other packages "
            f"or variables, and nothing replaces it: {_ids(file.dropped_evidence)}"
        )
    if file.removed:
        yield f"  removed {len(file.removed)}: {_ids(file.removed)}"


def _ids(variants: Sequence[Variant]) -> str:
    return ", ".join(variant.id for variant in variants)


def _accepted(moments: Iterable[str]) -> str:
    days = sorted({moment[:_DAY] for moment in moments if moment})
    return f" (accepted {' to '.join(dict.fromkeys((days[0], days[-1])))})" if days else ""


def _other_work(field: Difference) -> str:
    if field.name == "weights_origin":
        return f"weights are {field.before!r} there, {field.now!r} here"
    what, before, now = field.name.partition("_")[0], field.before[:_DIGEST_DIGITS], field.now[:_DIGEST_DIGITS]
    return f"{what} digest {before} in the baseline, {now} here"


def _class_difference(field: Difference) -> str:
    name = _FIELDS.get(field.name, field.name)
    if field.name != "isa":
        return f"{name} ({field.before} there, {field.now} here)"
    sides = (("there", field.before), ("here", field.now))
    return f"{name} ({', '.join(f'only {side} {flags}' for side, flags in sides if flags)})"
