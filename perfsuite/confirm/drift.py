"""What of the machine is another than when the baseline was measured."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from perfsuite.records.baseline import Baseline, Difference
from perfsuite.records.pair import Pair
from perfsuite.records.session import MachineState

#: From this share of the timed blocks' CPU time on, others are worth a word (judgement: the tools that start and
#: watch workers take 1 to 2 % here).
_OTHERS_SHARE = 0.05


def drift(baseline: Baseline, now: MachineState, pairs: Sequence[Pair], *, cpus: int) -> tuple[Difference, ...]:
    """Each field of the machine's state that differs from the newest session's, and who else computed meanwhile."""
    return (*_state_differences(baseline.accepted[0].session.state, now), *_others(pairs, cpus))


def _state_differences(before: MachineState, now: MachineState) -> list[Difference]:
    # Load differs always; who computes beside the pairs is told by their own blocks.
    names = [field.name for field in dataclasses.fields(MachineState) if field.name != "load_1min"]
    values = [(name, getattr(before, name), getattr(now, name)) for name in names]
    return [
        Difference(name=name.replace("_", " "), before=str(was), now=str(found))
        for name, was, found in values
        if None not in (was, found) and was != found
    ]


def _others(pairs: Sequence[Pair], cpus: int) -> list[Difference]:
    blocks = [block for pair in pairs for side in (pair.baseline, pair.candidate) for block in side.blocks]
    cpu_s = cpus * sum(block.duration_s for block in blocks)
    shares = {
        "CPU time of other processes": sum(one.conditions.others_cpu_s for one in blocks if one.conditions),
        "CPU time stolen by the hypervisor": sum(one.conditions.steal_s for one in blocks if one.conditions),
    }
    return [
        Difference(name=name, before="", now=f"{seconds / cpu_s:.0%} while the pairs were timed")
        for name, seconds in shares.items()
        if cpu_s and seconds / cpu_s >= _OTHERS_SHARE
    ]
