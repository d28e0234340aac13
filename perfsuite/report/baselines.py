"""Baselines in words: which one, why none, and what was accepted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from perfsuite.records.baseline import Acceptance, Baseline, Difference, Incomparable, Lack, Missing
from perfsuite.records.speed import Verdict
from perfsuite.report.text import variant_names
from perfsuite.stats.between import ASSUMED_SPREAD, FEWEST_SESSIONS

_DIGEST_DIGITS = 12  # as many as git shows of a commit, and more than enough to tell two apart
_DAY = len("2026-01-02")
_FIELDS = {
    "cpu_model": "CPU",
    "physical_cores": "cores",
    "isa": "instruction sets",
    "nodes": "NUMA nodes",
    "siblings": "threads that share a core",
    "efficient": "threads on E cores",
}


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
    """The stack, how many sessions if there are several, and the days on which they were accepted."""
    return f"{baseline.stack_slug}{_accepted([baseline])}"


def acceptance_lines(acceptance: Acceptance) -> list[str]:
    """What was added, whether it is enough, and what became of evidence and of what earlier sessions say."""
    if not acceptance.name:
        return []
    return [
        f"accepted {len(acceptance.accepted)} into {acceptance.name}",
        *(f"  {line}" for line in _acceptance_notes(acceptance)),
    ]


def _held_lines(held: Iterable[Baseline]) -> list[str]:
    by_stack: dict[str, list[Baseline]] = {}
    for baseline in held:
        by_stack.setdefault(baseline.stack_slug, []).append(baseline)
    return [f"held against {slug}{_accepted(its)}: {len(its)}" for slug, its in by_stack.items()]


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


def _acceptance_notes(acceptance: Acceptance) -> Iterable[str]:
    if 0 < acceptance.sessions < FEWEST_SESSIONS:
        yield (
            f"{acceptance.sessions} of {FEWEST_SESSIONS} sessions: too few to know how much sessions differ; until "
            f"then {ASSUMED_SPREAD:.1%} are assumed; accept more of them, at other hours, with --baseline-update"
        )
    if acceptance.restarted:
        yield f"of {len(acceptance.restarted)} the speed is another: earlier sessions count no more"
    if acceptance.kept_evidence:
        yield f"kept the stored evidence of {len(acceptance.kept_evidence)}: nothing observed replaces it"
    if acceptance.dropped_evidence:
        yield (
            f"dropped the stored evidence of {len(acceptance.dropped_evidence)}: it was observed with other packages "
            f"or variables, and nothing replaces it: {variant_names(acceptance.dropped_evidence)}"
        )
    if acceptance.removed:
        yield f"removed {len(acceptance.removed)}: {variant_names(acceptance.removed)}"
    if acceptance.pruned:
        yield f"deleted {', '.join(acceptance.pruned)}: no variant needs them any more"


def _accepted(baselines: Sequence[Baseline]) -> str:
    """From which sessions the baselines are."""
    sessions = [one for baseline in baselines for one in baseline.accepted]
    days = sorted({one.accepted_at[:_DAY] for one in sessions if one.accepted_at})
    counts = sorted({len(baseline.accepted) for baseline in baselines})
    words = []
    if counts[-1] > 1:
        words.append(f"{' to '.join(map(str, dict.fromkeys((counts[0], counts[-1]))))} sessions")
    if days:
        words.append(f"accepted {' to '.join(dict.fromkeys((days[0], days[-1])))}")
    return f" ({', '.join(words)})" if words else ""


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
