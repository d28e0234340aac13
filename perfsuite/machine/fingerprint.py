"""The machine class: what two machines must share for their timings to be comparable."""

from __future__ import annotations

from dataclasses import fields

from perfsuite.machine.cpu import Cpu
from perfsuite.records.machine import MachineClass
from perfsuite.records.placement import Placement


def machine_class(cpu: Cpu, placement: Placement) -> MachineClass:
    """The class of this processor when workers run there."""
    return MachineClass(
        cpu_model=cpu.model_name,
        physical_cores=cpu.physical_cores,
        isa=tuple(sorted(cpu.flags)),
        threads=placement.threads,
        nodes=placement.used_nodes if cpu.numa_nodes > 1 else (),
        siblings=placement.siblings,
        efficient=placement.efficient,
        instances=placement.instances,
    )


def differences(a: MachineClass, b: MachineClass) -> tuple[str, ...]:
    """One sentence for each field in which `a` and `b` differ, with both values; empty for equal classes."""
    return tuple(
        _isa_difference(a.isa, b.isa)
        if field.name == "isa"
        else f"{field.name}: {getattr(a, field.name)!r} against {getattr(b, field.name)!r}"
        for field in fields(MachineClass)
        if getattr(a, field.name) != getattr(b, field.name)
    )


def _isa_difference(a: tuple[str, ...], b: tuple[str, ...]) -> str:
    sides = (("first", sorted(set(b) - set(a))), ("second", sorted(set(a) - set(b))))
    missing = [f"the {side} lacks {', '.join(flags)}" for side, flags in sides if flags]
    return f"isa: {'; '.join(missing) or 'the same flags in another order'}"
