"""What a measurement is to be held against, and what is accepted.

``<folder>/<machine class>/<stack>/<when it began>.json`` is an accepted session, and never changes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from perfsuite.backends.registry import slug_of
from perfsuite.errors import BaselineError
from perfsuite.records.baseline import Acceptance, Baseline, Incomparable, Lack, Missing
from perfsuite.records.evidence import Evidence
from perfsuite.records.machine import MachineClass
from perfsuite.records.measurement import Measurement, Stack
from perfsuite.records.session import Session
from perfsuite.spec import Variant
from perfsuite.store.acceptance import acceptance, accepted_part
from perfsuite.store.counting import Sessions, baseline_in, holding, needed, observed, variants_in
from perfsuite.store.documents import UNTRUSTED, StoredSession, parsed, stored_session, write_session
from perfsuite.store.nearest import class_differences, nearest_class


class Baselines:
    """The accepted sessions under one folder; a variant's last ``most`` count. Each file is read once."""

    def __init__(self, folder: Path, *, most: int) -> None:
        self.folder = folder
        self._most = most
        self._read: dict[Path, StoredSession] = {}

    def path(self, session: Session) -> Path:
        """The file of the session; it belongs to a machine class and a stack."""
        return self.folder / session.machine.slug / slug_of(session.stack) / f"{session.begun_compact}.json"

    def check(self) -> None:
        """Read every file; BaselineError names the first that cannot be trusted."""
        for machine_slug in self._machine_slugs():
            self._accepted(machine_slug)

    def stacks(self, machine: MachineClass) -> tuple[str, ...]:
        """The stacks that are accepted for the machine class, the newest first."""
        accepted = self._accepted(machine.slug)
        return tuple(sorted(accepted, key=lambda slug: _newest(accepted[slug]), reverse=True))

    def find(self, measurement: Measurement, *, stack_slug: str | None = None) -> Baseline | Missing | Incomparable:
        """What ``measurement`` is to be held against: with ``stack_slug`` that stack's sessions, or else its own
        stack's, or else the newest accepted of its machine class, best of the same weights and inputs."""
        found: dict[str, Baseline | Incomparable] = {}
        newest: dict[str, str] = {}
        for slug, sessions in self._accepted(measurement.machine.slug).items():
            if stack_slug in (None, slug) and (one := baseline_in(sessions, measurement, self._most)):
                found[slug] = one
                newest[slug] = holding(sessions, measurement.variant)[0].session.begun_compact
        if not found:
            return self._missing(measurement, stack_slug)
        own = slug_of(measurement.stack)
        return found[max(found, key=lambda slug: (slug == own, isinstance(found[slug], Baseline), newest[slug]))]

    def evidence(
        self, variant: Variant, machine: MachineClass, stack: Stack, *, stack_slug: str | None = None
    ) -> Evidence | None:
        """What the variant's baseline ran, if it is stored with evidence; the stack is chosen as ``find`` does."""
        held = {
            slug: found
            for slug, sessions in self._accepted(machine.slug).items()
            if stack_slug in (None, slug) and (found := holding(sessions, variant))
        }
        chosen = max(held, key=lambda slug: (slug == slug_of(stack), held[slug][0].session.begun_compact), default=None)
        seen = observed(held[chosen]) if chosen else None
        return seen.measurement.evidence if seen else None

    def newest(
        self, machine: MachineClass, stack: Stack, *, stack_slug: str | None = None
    ) -> dict[Variant, Measurement]:
        """What the newest sessions say of each variant that the baseline has: of ``stack_slug``, or else of the stack
        itself, or else of the newest accepted."""
        accepted = self._accepted(machine.slug)
        slugs = (stack_slug,) if stack_slug else (slug_of(stack), *self.stacks(machine))
        chosen = next((accepted[slug] for slug in slugs if slug in accepted), ())
        return {variant: holding(chosen, variant)[0].measurement for variant in variants_in(chosen)}

    def accept(
        self,
        document: dict[str, Any],
        *,
        only_new: bool,
        remove: Collection[Variant] = (),
        restarted: Collection[Variant] = (),
    ) -> Acceptance:
        """Write what ``accepted_part`` leaves of a pytest-benchmark document, and remove the files needed no more.

        BaselineError for a document or a stored file that cannot be trusted, OSError if it cannot be written.
        """
        try:
            session = stored_session(document).session
        except UNTRUSTED as error:
            raise BaselineError(f"this session is not to be accepted ({type(error).__name__}: {error})") from error
        path = self.path(session)
        # Another run may have accepted since; and a run that is accepted again replaces what it was.
        self._read = {known: one for known, one in self._read.items() if known.parent != path.parent}
        older = tuple(one for one in self._sessions(path.parent) if one.session.id != session.id)
        part = accepted_part(session, older, only_new=only_new, remove=remove, restarted=restarted)
        if not part.measurements and not part.given_up:
            return Acceptance()
        write_session(path, document, part)
        pruned = self._prune(path.parent)
        name = str(path.relative_to(self.folder))
        return acceptance(name, part, older, removed=remove, most=self._most, pruned=pruned)

    def _prune(self, folder: Path) -> tuple[str, ...]:
        sessions = self._sessions(folder)
        wanted = needed(sessions, self._most)
        gone = [self.path(one.session) for one in sessions if one.session.id not in wanted]
        for path in gone:
            with contextlib.suppress(OSError):  # what cannot be removed does no harm
                path.unlink()
            self._read.pop(path)
        return tuple(path.name for path in gone)

    def _missing(self, measurement: Measurement, stack_slug: str | None) -> Missing:
        machine, stacks = measurement.machine, self.stacks(measurement.machine)
        if stacks:
            kind = Lack.NO_STACK if stack_slug and stack_slug not in stacks else Lack.NO_VARIANT
            return Missing(kind=kind, machine_slug=machine.slug, stacks=stacks)
        holders = {
            held[0].session.machine
            for machine_slug in self._machine_slugs()
            for sessions in self._accepted(machine_slug).values()
            if (held := holding(sessions, measurement.variant))
        }
        nearest = nearest_class(machine, holders)
        return Missing(
            kind=Lack.NO_CLASS,
            machine_slug=machine.slug,
            nearest=nearest.slug if nearest else None,
            nearest_differences=class_differences(nearest, machine) if nearest else (),
        )

    def _machine_slugs(self) -> list[str]:
        with _readable(self.folder):
            return [path.name for path in _listing(self.folder) if path.is_dir()]

    def _accepted(self, machine_slug: str) -> dict[str, Sessions]:
        """The sessions of each stack of the machine class; a folder without any is none of a stack."""
        folder = self.folder / machine_slug
        with _readable(folder):
            paths = _listing(folder)
        for path in paths:
            if path.suffix == ".json" and not path.is_dir():
                raise BaselineError(
                    f"{path} is not a folder of sessions: perfsuite once kept one file a stack; "
                    "delete it, and accept anew with --baseline-update"
                )
        return {path.name: found for path in paths if path.is_dir() and (found := self._sessions(path))}

    def _sessions(self, folder: Path) -> Sessions:
        with _readable(folder):
            paths = [path for path in _listing(folder) if path.suffix == ".json"]
        return tuple(sorted(map(self._session, paths), key=lambda one: one.session.begun_compact, reverse=True))

    def _session(self, path: Path) -> StoredSession:
        if path not in self._read:
            with _readable(path):
                content = path.read_bytes()
            try:
                found = stored_session(parsed(content))
            except UNTRUSTED as error:
                raise BaselineError(
                    f"{path} is not a perfsuite baseline ({type(error).__name__}: {error}): "
                    "restore it, or delete it and accept anew with --baseline-update"
                ) from error
            if (home := self.path(found.session)) != path:
                raise BaselineError(f"{path} holds a session of another place: its file is {home}")
            self._read[path] = found
        return self._read[path]


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Whatever keeps ``path`` from being read is a BaselineError that names it."""
    try:
        yield
    except OSError as error:
        raise BaselineError(
            f"{path} cannot be read ({error.strerror or error}): "
            "baselines are <machine class>/<stack>/<time>.json files"
        ) from error


def _listing(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except FileNotFoundError:
        return []


def _newest(sessions: Sessions) -> str:
    return sessions[0].session.begun_compact
