"""The only reader and writer of baselines.

``<folder>/<machine class>/<stack>.json`` is a standard pytest-benchmark file; each of its
benchmarks carries our Measurement in ``extra_info["perfsuite"]``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from perfsuite.errors import BaselineError
from perfsuite.machine.fingerprint import differences
from perfsuite.records.evidence import Evidence
from perfsuite.records.machine import MachineClass
from perfsuite.records.measurement import Digests, Measurement, Replicate
from perfsuite.spec import Variant

EXTRA_INFO_KEY = "perfsuite"


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """There is no baseline to hold a measurement against."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Incomparable:
    """There is one, of something else; ``reason`` names the field that differs."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One stored benchmark: pytest-benchmark's object and our record in it."""

    benchmark: dict[str, Any]
    measurement: Measurement

    @property
    def key(self) -> tuple[Variant, Digests]:
        return self.measurement.variant, self.measurement.digests


class Baselines:
    """The accepted measurements under one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read: dict[Path, tuple[Entry, ...]] = {}

    def path(self, measurement: Measurement, stack_slug: str | None = None) -> Path:
        return self.folder / measurement.machine.slug / f"{stack_slug or measurement.stack.slug}.json"

    def check(self) -> None:
        """Read every file; BaselineError names the first that cannot be trusted."""
        for path in self.folder.glob("*/*.json"):
            self._entries(path)

    def find(self, measurement: Measurement, *, stack_slug: str | None = None) -> Measurement | Missing | Incomparable:
        """What ``measurement`` is to be held against; ``stack_slug`` None means its own stack's."""
        path = self.path(measurement, stack_slug)
        if not path.exists():
            return self._elsewhere(measurement, path)
        same = [e.measurement for e in self._entries(path) if e.measurement.variant == measurement.variant]
        for candidate in same:
            if candidate.digests == measurement.digests:
                return candidate
        if not same:
            return Missing(reason=f"{self._name(path)} has no {measurement.variant.id}")
        return Incomparable(reason=_digest_difference(same[-1], measurement))

    def evidence(self, variant: Variant, machine: MachineClass, stack_slug: str) -> Evidence | None:
        """What the accepted measurement of the variant ran, if one is stored with evidence."""
        path = self.folder / machine.slug / f"{stack_slug}.json"
        if not path.exists():
            return None
        mine = [e.measurement for e in self._entries(path) if e.measurement.variant == variant]
        return next((one.evidence for one in reversed(mine) if one.evidence), None)

    def _elsewhere(self, measurement: Measurement, path: Path) -> Missing | Incomparable:
        stacks = sorted(other.stem for other in path.parent.glob("*.json"))
        if stacks:
            return Missing(
                reason=f"no baseline of stack {path.stem} for this machine class; "
                f"--baseline-stack compares with one of: {', '.join(stacks)}"
            )
        for other in sorted(self.folder.glob(f"*/{path.name}")):
            for entry in self._entries(other):
                if entry.measurement.variant == measurement.variant:
                    fields = "; ".join(differences(entry.measurement.machine, measurement.machine))
                    return Incomparable(reason=f"another machine class ({self._name(other)}): {fields}")
        return Missing(reason=f"no baseline for machine class {path.parent.name}")

    def accept(self, document: dict[str, Any], *, only_new: bool) -> dict[Path, int]:
        """Merge a pytest-benchmark document into the files it belongs to; how many went into each.

        An entry replaces the one of the same variant and digests, or, with ``only_new``, is left
        out if there is one. Every other entry stays.
        """
        accepted: dict[Path, int] = {}
        by_path: dict[Path, list[Entry]] = {}
        for entry in _decode(document, "this session"):
            by_path.setdefault(self.path(entry.measurement), []).append(entry)
        for path, entries in by_path.items():
            kept = {entry.key: entry for entry in (self._entries(path) if path.exists() else ())}
            for entry in entries:
                if not (only_new and entry.key in kept):
                    kept[entry.key] = entry
                    accepted[path] = accepted.get(path, 0) + 1
            if path in accepted:
                _write(path, document, sorted(kept.values(), key=lambda entry: entry.measurement.variant.id))
                self._read.pop(path, None)
        return accepted

    def _entries(self, path: Path) -> tuple[Entry, ...]:
        if path not in self._read:
            try:
                document = json.loads(path.read_bytes())
            except ValueError as error:
                raise BaselineError(
                    f"{path} is not JSON ({error}): restore it, or delete it and accept anew with --baseline-update"
                ) from error
            entries = tuple(_decode(document, str(path)))
            for entry in entries:
                if (home := self.path(entry.measurement)) != path:
                    raise BaselineError(
                        f"{path} holds measurements of another machine class or stack: their file is {home}"
                    )
            self._read[path] = entries
        return self._read[path]

    def _name(self, path: Path) -> str:
        return str(path.relative_to(self.folder))


def _decode(document: Any, where: str) -> Iterable[Entry]:
    try:
        for benchmark in document["benchmarks"]:
            yield Entry(benchmark=benchmark, measurement=measurement_in(benchmark))
    except (KeyError, TypeError, msgspec.ValidationError) as error:
        raise BaselineError(
            f"{where} is not a perfsuite baseline ({type(error).__name__}: {error}): baselines are written by "
            "pytest --benchmark-only --baseline-update"
        ) from error


def measurement_in(benchmark: Any) -> Measurement:
    """Our record in one of pytest-benchmark's; KeyError, TypeError or msgspec.ValidationError for none to trust."""
    measurement = msgspec.convert(benchmark["extra_info"][EXTRA_INFO_KEY], Measurement)
    if not measurement.replicates or not all(_has_latencies(r) for r in measurement.replicates):
        raise TypeError(f"{measurement.variant.id} has no latencies")
    return measurement


def _has_latencies(replicate: Replicate) -> bool:
    return bool(replicate.latencies_ns) and min(replicate.latencies_ns) > 0


def _digest_difference(stored: Measurement, measurement: Measurement) -> str:
    fields = []
    for name, what in (("weights_sha256", "weights"), ("inputs_sha256", "inputs")):
        before, now = getattr(stored.digests, name), getattr(measurement.digests, name)
        if before != now:
            fields.append(f"{what} digest {before[:12]} in the baseline, {now[:12]} here")
    if stored.weights_origin != measurement.weights_origin:
        fields.append(f"weights are {stored.weights_origin!r} there, {measurement.weights_origin!r} here")
    return "; ".join(fields)


def _write(path: Path, document: dict[str, Any], entries: list[Entry]) -> None:
    """Replace the file in one step; one line for each benchmark, so that a diff shows what changed."""
    head = json.dumps({key: value for key, value in document.items() if key != "benchmarks"}, indent=1)
    lines = ",\n".join(json.dumps(entry.benchmark) for entry in entries)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_text(f'{head[:-2]},\n "benchmarks": [\n{lines}\n]\n}}\n')
    partial.replace(path)
