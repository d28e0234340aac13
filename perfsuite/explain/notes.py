"""What else was not the same when two measurements were made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from perfsuite.machine.fingerprint import differences
from perfsuite.records.measurement import Measurement

#: Packages whose code runs inside a forward pass; the others are only counted.
_DECISIVE = ("torch", "intel-extension-for-pytorch", "torchao", "torchvision", "transformers", "triton")


def notes(before: Measurement, after: Measurement) -> tuple[str, ...]:
    """One text for each of: variables, packages, library settings, machine, weights and inputs, unread lines."""
    return tuple(_notes(before, after))


def threads_changed(before: Measurement, after: Measurement) -> str:
    """How many threads computed, if not as many; "" otherwise."""
    counts = [
        (m.evidence and str(m.evidence.threads), m.environment.get("OMP_NUM_THREADS"), str(m.machine.threads))
        for m in (before, after)
    ]
    for was, now in zip(*counts, strict=True):
        if was and now and was != now:
            return f"{now} thread{'' if now == '1' else 's'} in place of {was}"
    return ""


def _notes(before: Measurement, after: Measurement) -> Iterator[str]:
    variables = _changed(before.environment, after.environment)
    if variables:
        yield f"variables: {', '.join(variables)}"
    packages = _changed(before.stack.packages, after.stack.packages, only=_DECISIVE)
    others = len(_changed(before.stack.packages, after.stack.packages)) - len(packages)
    if others:
        packages.append(f"{others} more")
    if before.stack.python != after.stack.python:
        packages.insert(0, f"Python {after.stack.python} (was {before.stack.python})")
    if packages:
        yield f"packages: {', '.join(packages)}"
    if before.machine != after.machine:
        yield f"machine: {'; '.join(differences(before.machine, after.machine))}"
    if before.variant.model == after.variant.model and before.digests != after.digests:
        yield "weights or inputs: their digests differ, so that the work itself may"
    for side, measurement in (("first", before), ("second", after)):
        if measurement.evidence and (count := measurement.evidence.unread.count):
            yield f"evidence: {count} lines of the {side} were not understood, so that kernels may be missing"


def _changed(before: Mapping[str, str], after: Mapping[str, str], only: tuple[str, ...] = ()) -> list[str]:
    return [
        f"{name} {after.get(name, 'unset')} (was {before.get(name, 'unset')})"
        for name in only or sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]
