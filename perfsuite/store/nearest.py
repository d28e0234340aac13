"""Which of other machine classes is most like one, and in what it is not."""

from __future__ import annotations

from collections.abc import Iterable

from perfsuite.records.baseline import Difference
from perfsuite.records.machine import MachineClass

#: The fields that tell placements apart.
_PLACEMENT = ("nodes", "siblings", "efficient", "instances")


def nearest_class(wanted: MachineClass, others: Iterable[MachineClass]) -> MachineClass | None:
    """The same processor first, then the most instruction sets in common, then cores, threads, placement."""

    def likeness(other: MachineClass) -> tuple[bool, int, int, int, int, str]:
        return (
            other.cpu_model == wanted.cpu_model,
            len(set(other.isa) & set(wanted.isa)),
            -abs(other.physical_cores - wanted.physical_cores),
            -abs(other.threads - wanted.threads),
            sum(getattr(other, name) == getattr(wanted, name) for name in _PLACEMENT),
            other.slug,  # so that the answer does not depend on the order of files
        )

    return max(others, key=likeness, default=None)


def class_differences(there: MachineClass, here: MachineClass) -> tuple[Difference, ...]:
    """Each field in which the classes differ; of the instruction sets, those that only one of them has."""
    fields = (
        Difference(name="cpu_model", before=there.cpu_model, now=here.cpu_model),
        Difference(name="physical_cores", before=str(there.physical_cores), now=str(here.physical_cores)),
        Difference(name="threads", before=str(there.threads), now=str(here.threads)),
        *(Difference(name=name, before=_text(there, name), now=_text(here, name)) for name in _PLACEMENT),
        Difference(name="isa", before=_only(there.isa, here.isa), now=_only(here.isa, there.isa)),
    )
    return tuple(field for field in fields if field.before != field.now)


def _text(machine: MachineClass, name: str) -> str:
    value = getattr(machine, name)
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _only(flags: tuple[str, ...], others: tuple[str, ...]) -> str:
    return " ".join(sorted(set(flags) - set(others)))
