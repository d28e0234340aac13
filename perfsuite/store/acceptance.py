"""Stored entries and a session's -> the entries of the new file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from perfsuite.records.baseline import AcceptedFile
from perfsuite.spec import Variant
from perfsuite.store.entries import Entry, with_evidence_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Merger:
    """The entries of a file after a session was accepted, and what became of it."""

    entries: tuple[Entry, ...]
    file: AcceptedFile

    @property
    def changed(self) -> bool:
        """Whether there is anything to write."""
        return bool(self.file.accepted or self.file.removed)


def merge(
    name: str, stored: Iterable[Entry], measured: Iterable[Entry], *, only_new: bool, remove: frozenset[Variant]
) -> Merger:
    """An entry replaces the one of the same variant and digests, or, with ``only_new``, is left out if there is one.

    Evidence is never lost for want of new: an entry without any keeps what was stored, as long as that was
    observed in the same stack and environment. Stored entries of variants in ``remove`` go; every other stays.
    """
    stored = tuple(stored)
    kept = {entry.key: entry for entry in stored if entry.measurement.variant not in remove}
    accepted: list[Variant] = []
    kept_evidence: list[Variant] = []
    dropped_evidence: list[Variant] = []
    for entry in measured:
        variant, old = entry.measurement.variant, kept.get(entry.key)
        if old and only_new:
            continue
        accepted.append(variant)
        if old and old.measurement.evidence and not entry.measurement.evidence:
            alike = _ran_alike(old, entry)
            (kept_evidence if alike else dropped_evidence).append(variant)
            entry = with_evidence_of(entry, old) if alike else entry
        kept[entry.key] = entry
    file = AcceptedFile(
        name=name,
        accepted=tuple(accepted),
        kept_evidence=tuple(kept_evidence),
        dropped_evidence=tuple(dropped_evidence),
        removed=tuple(dict.fromkeys(e.measurement.variant for e in stored if e.measurement.variant in remove)),
    )
    return Merger(entries=tuple(sorted(kept.values(), key=lambda entry: entry.measurement.variant.id)), file=file)


def _ran_alike(one: Entry, other: Entry) -> bool:
    """Whether what the one ran is what the other does, the work being the same: same packages, variables, threads."""
    return all(
        getattr(one.measurement, name) == getattr(other.measurement, name)
        for name in ("stack", "environment", "machine")
    )
