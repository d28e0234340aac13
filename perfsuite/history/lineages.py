"""A machine's figures -> lineages: stacks that followed one another; those that run by turns have one each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from perfsuite.records.history import Series

#: A stack that has at least this part as many sessions as another since that began runs by turns with it; one that ran
#: less often was run once more, to see whether it was the machine (judgement).
_BY_TURNS = 0.5


def lineages(series: Series) -> tuple[Series, ...]:
    """A lineage for each stack after whose last session none began, with those that it followed; the newest last.

    So has one that has a session in no other's, such as one that was tried once.
    """
    stacks = [point.stack_slug for point in series.points]
    last = {stack: number for number, stack in enumerate(stacks)}
    first = {stack: number for number, stack in reversed(list(enumerate(stacks)))}
    over = {stack for stack in first if any(begin > last[stack] for begin in first.values())}
    found: dict[str, list[int]] = {}
    for stack in sorted(first, key=lambda one: (one in over, -last[one])):
        if stack not in over or not any(last[stack] in numbers for numbers in found.values()):
            found[stack] = sorted(_places(stacks, stack, first))
    ordered = sorted(found, key=lambda one: last[one])
    return tuple(replace(series, points=tuple(series.points[number] for number in found[one])) for one in ordered)


def lineage_of(series: Series, stack: str) -> Series:
    """The lineage that ends with the stack, or else that has most of its sessions; of equals the newest."""

    def nearness(lineage: Series) -> tuple[bool, int]:
        stacks = [point.stack_slug for point in lineage.points]
        return stacks[-1] == stack, stacks.count(stack)

    return max(reversed(lineages(series)), key=nearness)


def _places(stacks: Sequence[str], stack: str | None, first: dict[str, int]) -> Iterator[int]:
    """The places of the stack's sessions, then of those before its first the followed stack's, and so on."""
    end = len(stacks)
    while stack is not None:
        yield from (number for number in range(end) if stacks[number] == stack)
        end, stack = first[stack], _followed(stacks, stack, first[stack])


def _followed(stacks: Sequence[str], stack: str, begin: int) -> str | None:
    """Who ran last before the stack began, of those that do not run by turns with it."""
    since = stacks[begin:]
    before = dict.fromkeys(reversed(stacks[:begin]))
    return next((one for one in before if since.count(one) < _BY_TURNS * since.count(stack)), None)
