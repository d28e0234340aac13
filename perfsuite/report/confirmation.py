"""A night's plan, and what became of its suspicions, in words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from perfsuite.measure.plan import Plan
from perfsuite.records.baseline import Difference
from perfsuite.records.confirmation import Confirmation, Finding
from perfsuite.records.outcome import Outcome
from perfsuite.report.text import minutes
from perfsuite.report.violations import violation_lines

#: What came to nothing, or to good.
_LISTED = (Finding.IMPROVEMENT, Finding.DRIFT, Finding.SAME_SOFTWARE, Finding.NOT_REPRODUCED)
_ONE_PROCESS = "packages, variables and code are those of the accepted session, so that both sides would be one process"


def plan_line(plan: Plan, confirm: str) -> str:
    """What a run is about to do, and how long it may take."""
    text = (
        f"plan: {plan.variants} variant{'s' if plan.variants > 1 else ''}, {plan.replicates} replicates each, then "
        f"outputs and kernels: about {minutes(plan.measure_s)}"
    )
    if plan.extra_s >= 1:
        text += f"; {minutes(plan.extra_s)} more of them for what varies most"
    if plan.confirm_s:
        whom = "all variants" if confirm == "all" else "suspects"
        text += f"; {whom} beside the baseline's stack: at most {minutes(plan.confirm_s)}"
    return text


def confirmation_lines(confirmation: Confirmation) -> list[str]:
    """What a side-by-side run made of the suspicion, and what of the machine is another."""
    stored = confirmation.stored.ratio
    said = f"; the stored sessions said {stored:.3f}" if stored is not None else ""
    pairs = f"{confirmation.pairs} pair{'' if confirmation.pairs == 1 else 's'} of processes"
    finding = confirmation.finding
    match finding:
        case Finding.REGRESSION | Finding.IMPROVEMENT:
            lines = [f"{finding}: {pairs}, side by side with the baseline's stack{said}"]
        case Finding.DRIFT if confirmation.pairs:
            lines = [f"{finding}: side by side it is no slower ({pairs}){said}"]
        case Finding.DRIFT | Finding.SAME_SOFTWARE:
            lines = [f"{finding}: {_ONE_PROCESS}{said}"]
        case Finding.NOT_REPRODUCED:
            lines = [f"{finding}: {pairs}, side by side with the baseline's stack{said}"]
        case Finding.INCONCLUSIVE:
            lines = [f"{pairs}, side by side with the baseline's stack, do not tell{said}"]
        case Finding.NOT_RUN:
            lines = [f"{finding}: {confirmation.why}{said}"]
            lines += [f"costs, {finding}: {line}" for line in violation_lines(confirmation.doubtful_costs)]
    if finding in (Finding.DRIFT, Finding.INCONCLUSIVE, Finding.REGRESSION):
        lines += _machine_lines(confirmation)
    return lines


def suspicion_lines(outcomes: Sequence[Outcome], confirm: str) -> Iterator[str]:
    """Of all suspicions of a run: those that came to nothing, those that nobody could look into and why."""
    if confirm == "none":
        yield (
            "--confirm none: a slowdown below --regression-ratio was not looked for, and one above it may be the "
            "machine's"
        )
    found: dict[Finding, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        if outcome.confirmation:
            found[outcome.confirmation.finding].append(outcome)
    for finding in _LISTED:
        if (mine := found[finding]) and finding is Finding.SAME_SOFTWARE:
            yield _same_software_line(_confirmations(mine))
        elif mine:
            yield f"{finding} ({len(mine)}): {', '.join(map(_with_ratio, mine))}"
            yield from (f"  {line}" for line in _what_follows(finding, _confirmations(mine)))
    if untold := _confirmations(found[Finding.INCONCLUSIVE]):
        yield from _difference_lines(dict.fromkeys(difference for one in untold for difference in one.differences))
    whys: dict[str, list[str]] = defaultdict(list)
    for outcome in found[Finding.NOT_RUN]:
        whys[outcome.confirmation.why if outcome.confirmation else ""].append(outcome.variant.id)
    for why, names in whys.items():
        yield f"{Finding.NOT_RUN} ({len(names)}): {', '.join(names)}"
        yield from (f"  {line}" for line in why.splitlines())


def _confirmations(outcomes: Iterable[Outcome]) -> list[Confirmation]:
    return [outcome.confirmation for outcome in outcomes if outcome.confirmation]


def _same_software_line(found: Sequence[Confirmation]) -> str:
    ratios = [one.stored.ratio for one in found if one.stored.ratio is not None]
    said = f"; the stored sessions said {min(ratios):.3f} to {max(ratios):.3f}" if ratios else ""
    return f"{Finding.SAME_SOFTWARE} ({len(found)}): {_ONE_PROCESS}{said}"


def _what_follows(finding: Finding, found: Sequence[Confirmation]) -> list[str]:
    match finding:
        case Finding.DRIFT:
            return _drift_lines(found)
        case Finding.IMPROVEMENT:
            return ["to accept: --baseline-update"]
    return []


def _with_ratio(outcome: Outcome) -> str:
    assert outcome.confirmation is not None
    stored = outcome.confirmation.stored.ratio
    now = outcome.speed.ratio if outcome.speed and outcome.confirmation.pairs else None
    told = [f"stored {stored:.3f}"] if stored is not None else []
    told += [f"side by side {now:.3f}"] if now is not None else []
    return f"{outcome.variant.id} ({', '.join(told)})"


def _drift_lines(found: Sequence[Confirmation]) -> list[str]:
    moved = [one.moved for one in found if one.moved is not None]
    lines = [
        f"the baseline's stack itself takes {min(moved):.2f} to {max(moved):.2f} times what it did in its sessions"
    ]
    differences = dict.fromkeys(difference for one in found for difference in one.differences)
    return lines + _difference_lines(differences)


def _machine_lines(confirmation: Confirmation) -> list[str]:
    lines = []
    if confirmation.moved is not None:
        lines.append(f"the baseline's stack itself takes {confirmation.moved:.2f} times what it did in its sessions")
    return lines + _difference_lines(confirmation.differences)


def _difference_lines(differences: Iterable[Difference]) -> list[str]:
    told = [f"{one.name} {one.now}" + (f" (was {one.before})" if one.before else "") for one in differences]
    return [f"of the machine: {', '.join(told)}"] if told else []
