"""What of the machine is another, and who computed beside the pairs."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from builders import MACHINE, STACK, baseline, measurement
from compare_builders import pair

from perfsuite.confirm.drift import drift
from perfsuite.records.baseline import Baseline, Difference
from perfsuite.records.pair import Pair
from perfsuite.records.session import MachineState, Session

STATE = MachineState(node="a", kernel="6.1", microcode="0x1", governor="performance", load_1min=0.1)


def _baseline(state: MachineState) -> Baseline:
    whole = baseline(measurement(100))
    session = Session(
        id="x",
        begun_at="2026-11-26T00:00:00+00:00",
        perfsuite="1.0",
        commit=None,
        stack=STACK,
        contents={},
        machine=MACHINE,
        state=state,
        environment={},
        settings={},
    )
    return dataclasses.replace(whole, accepted=(dataclasses.replace(whole.accepted[0], session=session),))


def _pair(**conditions: float) -> Pair:
    def changed(side: Any) -> Any:
        blocks = [
            dataclasses.replace(block, conditions=dataclasses.replace(block.conditions, **conditions))
            for block in side.blocks
        ]
        return dataclasses.replace(side, blocks=tuple(blocks))

    whole = pair(1.0)
    return dataclasses.replace(whole, baseline=changed(whole.baseline), candidate=changed(whole.candidate))


@pytest.mark.parametrize(
    ("then", "expected"),
    [
        pytest.param(STATE, [], id="alike"),
        pytest.param(dataclasses.replace(STATE, load_1min=9.0), [], id="load is never the same"),
        pytest.param(
            dataclasses.replace(STATE, kernel="5.4", microcode="0x2"),
            [
                Difference(name="kernel", before="5.4", now="6.1"),
                Difference(name="microcode", before="0x2", now="0x1"),
            ],
            id="kernel and microcode",
        ),
        pytest.param(dataclasses.replace(STATE, governor=None), [], id="a governor that was not told"),
    ],
)
def test_what_the_machine_s_state_differs_in(then: MachineState, expected: list[Difference]) -> None:
    assert drift(_baseline(then), STATE, [pair(1.0)], cpus=2) == tuple(expected)


@pytest.mark.parametrize(
    ("conditions", "named"),
    [
        ({"others_cpu_s": 0.009}, []),
        ({"others_cpu_s": 0.1}, ["CPU time of other processes"]),
        ({"steal_s": 0.1}, ["CPU time stolen by the hypervisor"]),
    ],
)
def test_who_computes_beside_the_pairs_is_named(conditions: dict[str, float], named: list[str]) -> None:
    """A block takes 100 ms of two threads."""
    found = drift(_baseline(STATE), STATE, [_pair(**conditions)], cpus=2)
    assert [one.name for one in found] == named
    if named:
        assert found[0].now.startswith("50%")
