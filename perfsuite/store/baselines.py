"""What a measurement is to be held against, and what is accepted."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from perfsuite.errors import BaselineError
from perfsuite.records.baseline import Acceptance, Accepted, Baseline, Difference, Incomparable, Lack, Missing
from perfsuite.records.evidence import Evidence
from perfsuite.records.machine import MachineClass
from perfsuite.records.measurement import Measurement, Stack
from perfsuite.spec import Variant
from perfsuite.store.acceptance import merge
from perfsuite.store.entries import Entry, entries_in, read_entries, readable, write_entries
from perfsuite.store.nearest import class_differences, nearest_class


class Baselines:
    """The accepted measurements under one folder; each file is read once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read: dict[Path, tuple[Entry, ...]] = {}

    def path(self, measurement: Measurement) -> Path:
        """The file of the measurement's own machine class and stack."""
        return self.folder / measurement.machine.slug / f"{measurement.stack.slug}.json"

    def check(self) -> None:
        """Read every file; BaselineError names the first that cannot be trusted."""
        for machine_slug in self._machine_slugs():
            self._accepted(machine_slug)

    def stacks(self, machine: MachineClass) -> tuple[str, ...]:
        """The stacks that are accepted for the machine class, the newest first."""
        accepted = self._accepted(machine.slug)
        return tuple(sorted(accepted, key=lambda slug: -max(entry.accepted_s for entry in accepted[slug])))

    def find(self, measurement: Measurement, *, stack_slug: str | None = None) -> Baseline | Missing | Incomparable:
        """What ``measurement`` is to be held against: with ``stack_slug`` that stack's, or else its own
        stack's, or else the newest accepted of its machine class, best of the same weights and inputs."""
        entries = self._entries_of(measurement.variant, measurement.machine, stack_slug)
        if not entries:
            return self._missing(measurement, stack_slug)
        own, digests = measurement.stack.slug, measurement.digests
        best = max(entries, key=lambda e: (_slug(e) == own, e.measurement.digests == digests, e.accepted_s))
        if best.measurement.digests != digests:
            return Incomparable(fields=_other_work(best.measurement, measurement))
        accepted = Accepted(measurement=best.measurement, accepted_at=best.provenance.accepted_at)
        return Baseline(accepted=(accepted,), stack_slug=_slug(best))

    def evidence(
        self, variant: Variant, machine: MachineClass, stack: Stack, *, stack_slug: str | None = None
    ) -> Evidence | None:
        """What the variant's baseline ran, if it is stored with evidence; the stack is chosen as ``find`` does."""
        entries = self._entries_of(variant, machine, stack_slug)
        chosen = max(entries, key=lambda e: (_slug(e) == stack.slug, e.accepted_s), default=None)
        if chosen is None:
            return None
        observed = [e for e in entries if _slug(e) == _slug(chosen) and e.measurement.evidence]
        newest = max(observed, key=lambda e: e.accepted_s, default=None)
        return newest.measurement.evidence if newest else None

    def variants(self, machine: MachineClass, stack: Stack, *, stack_slug: str | None = None) -> frozenset[Variant]:
        """What the baseline has: of ``stack_slug``, or else of the stack itself, or else of the newest accepted."""
        accepted = self._accepted(machine.slug)
        slugs = (stack_slug,) if stack_slug else (stack.slug, *self.stacks(machine))
        chosen = next((slug for slug in slugs if slug in accepted), None)
        return frozenset(entry.measurement.variant for entry in accepted[chosen]) if chosen else frozenset()

    def accept(
        self, document: dict[str, Any], *, only_new: bool, remove: frozenset[Variant] = frozenset()
    ) -> Acceptance:
        """Merge a pytest-benchmark document into the files it belongs to, as ``merge`` does.

        BaselineError for a document or a file that cannot be trusted, OSError for one that cannot be written.
        """
        by_path: dict[Path, list[Entry]] = {}
        for entry in entries_in(document, "this session"):
            by_path.setdefault(self.path(entry.measurement), []).append(entry)
        files = []
        for path, measured in by_path.items():
            self._read.pop(path, None)  # another run may have accepted since
            stored = self._entries(path) if os.path.lexists(path) else ()
            name = str(path.relative_to(self.folder))
            merged = merge(name, stored, measured, only_new=only_new, remove=remove)
            if merged.changed:
                write_entries(path, document, merged.entries)
                self._read.pop(path, None)
                files.append(merged.file)
        return Acceptance(files=tuple(files))

    def _missing(self, measurement: Measurement, stack_slug: str | None) -> Missing:
        machine, stacks = measurement.machine, self.stacks(measurement.machine)
        if stacks:
            kind = Lack.NO_STACK if stack_slug and stack_slug not in stacks else Lack.NO_VARIANT
            return Missing(kind=kind, machine_slug=machine.slug, stacks=stacks)
        holders = {
            entry.measurement.machine
            for machine_slug in self._machine_slugs()
            for entries in self._accepted(machine_slug).values()
            for entry in entries
            if entry.measurement.variant == measurement.variant
        }
        nearest = nearest_class(machine, holders)
        return Missing(
            kind=Lack.NO_CLASS,
            machine_slug=machine.slug,
            nearest=nearest.slug if nearest else None,
            nearest_differences=class_differences(nearest, machine) if nearest else (),
        )

    def _entries_of(self, variant: Variant, machine: MachineClass, stack_slug: str | None) -> list[Entry]:
        """Every entry of the variant, of all stacks of the machine class or of the one."""
        return [
            entry
            for slug, entries in self._accepted(machine.slug).items()
            for entry in entries
            if entry.measurement.variant == variant and stack_slug in (None, slug)
        ]

    def _machine_slugs(self) -> list[str]:
        with readable(self.folder):
            return [path.name for path in _listing(self.folder) if path.is_dir()]

    def _accepted(self, machine_slug: str) -> dict[str, tuple[Entry, ...]]:
        """The entries of each stack of the machine class; a file without any is none of a stack."""
        folder = self.folder / machine_slug
        with readable(folder):
            paths = [path for path in _listing(folder) if path.suffix == ".json"]
        return {path.stem: entries for path in paths if (entries := self._entries(path))}

    def _entries(self, path: Path) -> tuple[Entry, ...]:
        if path not in self._read:
            entries = read_entries(path)
            for entry in entries:
                if (home := self.path(entry.measurement)) != path:
                    raise BaselineError(
                        f"{path} holds measurements of another machine class or stack: their file is {home}"
                    )
            self._read[path] = entries
        return self._read[path]


def _listing(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except FileNotFoundError:
        return []


def _slug(entry: Entry) -> str:
    return entry.measurement.stack.slug


def _other_work(stored: Measurement, measurement: Measurement) -> tuple[Difference, ...]:
    before, now = stored.digests, measurement.digests
    fields = (
        Difference(name="weights_sha256", before=before.weights_sha256, now=now.weights_sha256),
        Difference(name="inputs_sha256", before=before.inputs_sha256, now=now.inputs_sha256),
        Difference(name="weights_origin", before=stored.weights_origin, now=measurement.weights_origin),
    )
    return tuple(field for field in fields if field.before != field.now)
