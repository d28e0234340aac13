"""A night's plan, and what became of its suspicions, in words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from perfsuite.measure.plan import Plan
from perfsuite.records.baseline import Difference
from perfsuite.records.confirmation import Confirmation, Finding
from perfsuite.records.outcome import Outcome
from perfsuite.report.text import minutes, variant_names
from perfsuite.report.violations import violation_lines
from perfsuite.spec import Variant

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
            yield f"{finding} {_listed(mine)}"
            yield from (f"  {line}" for line in _what_follows(finding, _confirmations(mine)))
    if untold := _confirmations(found[Finding.INCONCLUSIVE]):
        yield from _difference_lines(dict.fromkeys(difference for one in untold for difference in one.differences))
    whys: dict[str, list[Variant]] = defaultdict(list)
    for outcome in found[Finding.NOT_RUN]:
        whys[outcome.confirmation.why if outcome.confirmation else ""].append(outcome.variant)
    for why, variants in whys.items():
        yield f"{Finding.NOT_RUN} ({len(variants)}): {variant_names(variants)}"
        yield from (f"  {line}" for line in why.splitlines())


def _confirmations(outcomes: Iterable[Outcome]) -> list[Confirmation]:
    return [outcome.confirmation for outcome in outcomes if outcome.confirmation]


def _same_software_line(found: Sequence[Confirmation]) -> str:
    told = ", ".join([str(len(found)), *_range("stored", [one.stored.ratio for one in found])])
    return f"{Finding.SAME_SOFTWARE} ({told}): {_ONE_PROCESS}"


def _what_follows(finding: Finding, found: Sequence[Confirmation]) -> list[str]:
    match finding:
        case Finding.DRIFT:
            return _drift_lines(found)
        case Finding.IMPROVEMENT:
            return ["to accept: --baseline-update"]
    return []


def _listed(outcomes: Sequence[Outcome]) -> str:
    """How many, what the stored sessions said of them and what was found side by side, and who."""
    stored = [one.stored.ratio for one in _confirmations(outcomes)]
    now = [one.speed.ratio for one in outcomes if one.speed and one.confirmation and one.confirmation.pairs]
    told = [str(len(outcomes)), *_range("stored", stored), *_range("side by side", now)]
    return f"({', '.join(told)}): {variant_names(one.variant for one in outcomes)}"


def _range(word: str, ratios: Sequence[float | None]) -> list[str]:
    known = sorted({f"{ratio:.3f}" for ratio in ratios if ratio is not None}, key=float)
    return [f"{word} {' to '.join(dict.fromkeys((known[0], known[-1])))}"] if known else []


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
