"""Every combination of speed, outputs, kernels, support and failure comes to the worst of them, and to its colour."""

from itertools import product

import pytest
from builders import VARIANT

from perfsuite.judge.colour import Status, colour, exit_status, own_colour
from perfsuite.judge.outcome import judge_support, judge_variant
from perfsuite.records.outcome import Colour, Outcome, Policy
from perfsuite.records.speed import Reason, Speed, Verdict
from perfsuite.records.violation import Against, Kind, Violation
from perfsuite.spec import Support

V, C = Verdict, Colour
STRICT = Policy()

#: Speed alone, and the colour that is right for it.
SPEEDS = {
    V.IMPROVED: C.GREEN,
    V.UNCHANGED: C.GREEN,
    V.MISSING_BASELINE: C.GREEN,
    V.INCONCLUSIVE: C.YELLOW,
    V.INCOMPARABLE: C.RED,
    V.REGRESSED: C.RED,
    V.ERROR: C.RED,
}
OUTPUTS = {
    "right": (),
    "wrong": (Violation(kind=Kind.SQNR_LOW, expected=25.0, found=3.0),),
    "NaN": (Violation(kind=Kind.NOT_FINITE, expected=0, found=7),),
    "another shape": (Violation(kind=Kind.SHAPE, expected="(2, 10)", found="(2, 5)"),),
    "unlike the baseline's": (Violation(kind=Kind.SQNR_LOW, found=-5.0, against=Against.BASELINE_REFERENCE),),
}
LOST = {
    "kept": (),
    "instruction set": (Violation(kind=Kind.ISA, expected=1.0, found=0.91, against=Against.BASELINE),),
    "unread": (Violation(kind=Kind.UNREAD, expected=0.0, found=0.4, against=Against.BASELINE),),
}
COSTS = {"as ever": (), "heavier": (Violation(kind=Kind.PEAK_MEMORY, expected=307e6, found=557e6),)}
KERNELS = {"expected": (), "precision": (Violation(kind=Kind.PRECISION, subject="bf16", expected=0.95, found=0.0),)}


def _speed(verdict: Verdict) -> Speed:
    return Speed(variant=VARIANT, verdict=verdict, reason=Reason.WITHIN, matters=1.02)


def _colour(found: Outcome, **policy: bool) -> Colour:
    return colour(found, Policy(**policy))


@pytest.mark.parametrize(
    ("speed", "outputs", "lost", "kernels", "costs", "failure"),
    list(product(SPEEDS, OUTPUTS, LOST, KERNELS, COSTS, ("", "it crashed"))),
)
def test_the_worst_counts(speed: Verdict, outputs: str, lost: str, kernels: str, costs: str, failure: str) -> None:
    found = judge_variant(
        VARIANT,
        speed=_speed(speed),
        outputs=OUTPUTS[outputs],
        lost=LOST[lost],
        kernels=KERNELS[kernels],
        costs=COSTS[costs],
        failure=failure,
    )
    if OUTPUTS[outputs] or failure:
        expected = V.ERROR
    elif (LOST[lost] or KERNELS[kernels]) and speed is not V.ERROR:
        expected = V.LOST
    elif COSTS[costs] and speed is not V.ERROR:
        expected = V.REGRESSED
    else:
        expected = speed
    assert found.verdict is expected
    fine = not (OUTPUTS[outputs] or failure or LOST[lost] or KERNELS[kernels] or COSTS[costs])
    assert _colour(found) is (SPEEDS[speed] if fine else C.RED)
    assert found.speed == _speed(speed)  # whatever else came of it, nothing is lost


@pytest.mark.parametrize(
    ("in_baseline", "verdict", "colours"),
    [
        (True, V.LOST, {"strict": C.RED, "accept_lost": C.GREY, "accept_speed": C.RED, "require_verdict": C.RED}),
        (False, V.UNSUPPORTED, dict.fromkeys(("strict", "accept_lost", "accept_speed", "require_verdict"), C.GREY)),
    ],
    ids=["only A", "neither"],
)
def test_what_only_the_baseline_supports_is_lost(
    in_baseline: bool, verdict: Verdict, colours: dict[str, Colour]
) -> None:
    found = judge_support(VARIANT, Support(reason="no torchao"), in_baseline=in_baseline)
    assert (found.verdict, found.unsupported) == (verdict, "no torchao")
    for policy, expected in colours.items():
        assert _colour(found, **({} if policy == "strict" else {policy: True})) is expected


@pytest.mark.parametrize("speed", SPEEDS)
def test_a_verdict_that_is_required_makes_red_what_could_not_be_told(speed: Verdict) -> None:
    untold = speed in (V.INCONCLUSIVE, V.MISSING_BASELINE)
    assert _colour(judge_variant(VARIANT, speed=_speed(speed)), require_verdict=True) is (
        C.RED if untold else SPEEDS[speed]
    )


@pytest.mark.parametrize("speed", [one for one in SPEEDS if one is not V.ERROR])
def test_the_user_may_accept_any_speed_but_nothing_wrong(speed: Verdict) -> None:
    assert _colour(judge_variant(VARIANT, speed=_speed(speed)), accept_speed=True) is C.GREEN
    for name in OUTPUTS:
        found = judge_variant(VARIANT, speed=_speed(speed), outputs=OUTPUTS[name])
        expected = C.RED if OUTPUTS[name] else C.GREEN
        assert _colour(found, accept_speed=True, accept_lost=True) is expected


@pytest.mark.parametrize("lost", LOST)
def test_the_user_may_give_up_what_is_lost_but_not_what_is_expected(lost: str) -> None:
    found = judge_variant(VARIANT, speed=_speed(V.UNCHANGED), lost=LOST[lost])
    assert _colour(found, accept_lost=True) is C.GREEN
    with_kernels = judge_variant(VARIANT, speed=_speed(V.UNCHANGED), lost=LOST[lost], kernels=KERNELS["precision"])
    assert _colour(with_kernels, accept_lost=True) is C.RED


def test_the_user_may_accept_what_it_costs() -> None:
    found = judge_variant(VARIANT, speed=_speed(V.UNCHANGED), costs=COSTS["heavier"])
    assert _colour(found, accept_lost=True) is C.RED
    assert _colour(found, accept_speed=True) is C.GREEN


@pytest.mark.parametrize("policy", [STRICT, Policy(require_verdict=True)], ids=["strict", "verdict required"])
@pytest.mark.parametrize("speed", SPEEDS)
@pytest.mark.parametrize("failure", ["", "it crashed"])
def test_what_is_ignored_is_grey_whatever_came_of_it(speed: Verdict, failure: str, policy: Policy) -> None:
    found = judge_variant(VARIANT, speed=_speed(speed), failure=failure)
    ignored = judge_variant(VARIANT, speed=_speed(speed), failure=failure, ignored="pt#12345")
    assert (ignored.verdict, ignored.ignored) == (found.verdict, "pt#12345")
    assert colour(ignored, policy) is C.GREY
    assert own_colour(ignored, policy) is colour(found, policy)
    gone = judge_support(VARIANT, Support(reason="no torchao"), in_baseline=True, ignored="pt#12345")
    assert colour(gone, policy) is C.GREY


def test_outputs_and_kernels_may_be_all_that_was_asked_for() -> None:
    assert _colour(judge_variant(VARIANT)) is C.GREEN
    assert _colour(judge_variant(VARIANT, outputs=OUTPUTS["wrong"])) is C.RED


FINE, SLOWER, OPEN, NEW = (
    judge_variant(VARIANT, speed=_speed(verdict))
    for verdict in (V.UNCHANGED, V.REGRESSED, V.INCONCLUSIVE, V.MISSING_BASELINE)
)
WRONG = judge_variant(VARIANT, speed=_speed(V.INCONCLUSIVE), outputs=OUTPUTS["wrong"])
GONE = judge_support(VARIANT, Support(reason="no torchao"), in_baseline=True)
IGNORED = judge_variant(VARIANT, speed=_speed(V.REGRESSED), ignored="pt#12345")
NEITHER = judge_support(VARIANT, Support(reason="no torchao"), in_baseline=False)


@pytest.mark.parametrize(
    ("outcomes", "policy", "status"),
    [
        ([FINE], STRICT, Status.FINE),
        ([FINE, OPEN], STRICT, Status.FINE),
        ([FINE, OPEN], Policy(require_verdict=True), Status.UNTOLD),
        ([FINE, NEITHER], Policy(require_verdict=True), Status.FINE),
        ([FINE, NEW], STRICT, Status.FINE),
        ([FINE, SLOWER], STRICT, Status.WORSE),
        ([FINE, WRONG], STRICT, Status.WORSE),
        ([FINE, GONE], STRICT, Status.WORSE),
        ([FINE, GONE], Policy(accept_lost=True), Status.FINE),
        ([GONE], Policy(accept_lost=True), Status.UNTOLD),
        ([SLOWER, OPEN], Policy(require_verdict=True), Status.WORSE),
        ([OPEN], STRICT, Status.UNTOLD),
        ([FINE, IGNORED], STRICT, Status.FINE),
        ([SLOWER, IGNORED], STRICT, Status.WORSE),
        ([IGNORED], STRICT, Status.UNTOLD),
        ([NEITHER], STRICT, Status.UNTOLD),
        ([NEW], STRICT, Status.UNTOLD),
        ([], STRICT, Status.UNTOLD),
    ],
)
def test_a_comparison_ends_with_the_status_of_its_worst(outcomes: list[Outcome], policy: Policy, status: int) -> None:
    assert exit_status(outcomes, policy) == status
