"""The sessions that are shown: stored files, read anew when they change."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from perfsuite.backends.registry import slug_of
from perfsuite.errors import UsageError
from perfsuite.records.session import Session
from perfsuite.spec import Variant
from perfsuite.store.documents import StoredSession
from perfsuite.store.sessions import read_stored


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelved:
    """All sessions that could be read, the newest first, and why others could not."""

    sessions: tuple[StoredSession, ...]
    unread: tuple[str, ...]

    def session(self, name: str) -> StoredSession | None:
        """The one of that id."""
        return next((one for one in self.sessions if one.session.id == name), None)

    def older(self, session: Session) -> tuple[StoredSession, ...]:
        """What it can be held against: those before it of its machine class and its stack, or else the newest other."""
        before = [
            one
            for one in self.sessions
            if one.session.machine == session.machine and one.session.begun_compact < session.begun_compact
        ]
        slugs = [slug_of(one.session.stack) for one in before]
        slug = slug_of(session.stack) if slug_of(session.stack) in slugs else next(iter(slugs), None)
        return tuple(one for one, its in zip(before, slugs, strict=True) if its == slug)

    def series(self, variant: Variant, like: Session) -> tuple[StoredSession, ...]:
        """The sessions of that machine class that have the variant, the oldest first, whatever their stack."""
        found = [one for one in self.sessions if one.session.machine == like.machine and one.session.of(variant)]
        return tuple(reversed(found))


class Shelf:
    """Files, and the ``*.json`` of folders; several threads may ask."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = paths
        self._read: dict[Path, tuple[tuple[int, int], StoredSession | str]] = {}
        self._lock = threading.Lock()

    def shelved(self) -> Shelved:
        """What lies there now; only what changed since the last time is read."""
        with self._lock:
            found = {path: self._of(path) for path in dict.fromkeys(_files(self._paths))}
            self._read = {path: one for path, one in self._read.items() if path in found}
        sessions: dict[str, StoredSession] = {}
        for one in found.values():
            if isinstance(one, StoredSession):  # a file and its copy are one session
                sessions.setdefault(one.session.id, one)
        newest_first = sorted(sessions.values(), key=lambda one: one.session.begun_compact, reverse=True)
        return Shelved(
            sessions=tuple(newest_first), unread=tuple(one for one in found.values() if isinstance(one, str))
        )

    def _of(self, path: Path) -> StoredSession | str:
        try:
            stat = path.stat()
        except OSError as error:
            return f"{path} cannot be read: {error.strerror}"
        state = (stat.st_mtime_ns, stat.st_size)
        known = self._read.get(path)
        if known is None or known[0] != state:
            known = state, _stored(path)
            self._read[path] = known
        return known[1]


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        yield from sorted(path.rglob("*.json")) if path.is_dir() else (path,)


def _stored(path: Path) -> StoredSession | str:
    try:
        found = read_stored(path)
        _ = found.session.begun_compact
    except (UsageError, ValueError, OverflowError) as error:
        return str(error)
    return found
