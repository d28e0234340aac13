"""The machine class: what two machines must share for their timings to be comparable."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass, fields

from perfsuite.machine.cpu import Cpu

# Words of a model name that tell no two processors apart.
_NOISE = re.compile(r"\((r|tm|c)\)|@.*|\b(cpu|processor|\d+-core|with radeon.*)\b", re.IGNORECASE)
_LONGEST_MODEL = 40  # own judgement: a directory name that still fits a terminal column
_HASH_DIGITS = 6  # 24 bits: two of 100 machine classes collide with probability 3e-4

# The highest instruction set names the class for people; the digest tells the rest apart.
_LEVELS = (
    ("amx_tile", "amx"),
    ("avx512_bf16", "avx512bf16"),
    ("avx512_vnni", "avx512vnni"),
    ("avx512f", "avx512"),
    ("avx_vnni", "avxvnni"),
    ("avx2", "avx2"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineClass:
    """Baselines are kept for each of these; `threads` is the number of threads a worker computes with."""

    cpu_model: str
    physical_cores: int
    isa: tuple[str, ...]
    threads: int

    @property
    def slug(self) -> str:
        """A short file name that a person recognises; its last part is a digest of every field."""
        words = re.sub(r"[^a-z0-9]+", "-", _NOISE.sub(" ", self.cpu_model).lower()).strip("-")
        model = words[:_LONGEST_MODEL].strip("-") or "unknown-cpu"
        canonical = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))
        digest = hashlib.sha256(canonical.encode()).hexdigest()[:_HASH_DIGITS]
        return f"{model}-{self.physical_cores}c-{self.threads}t-{self._level}-{digest}"

    @property
    def _level(self) -> str:
        return next((name for flag, name in _LEVELS if flag in self.isa), "x86")


def machine_class(cpu: Cpu, threads: int) -> MachineClass:
    """The class of this processor when a worker computes with `threads` threads."""
    return MachineClass(
        cpu_model=cpu.model_name,
        physical_cores=cpu.physical_cores,
        isa=tuple(sorted(cpu.flags)),
        threads=threads,
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
