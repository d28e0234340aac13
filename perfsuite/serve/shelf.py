"""The sessions that are shown: a history's, or those in files, which are taken into one anew when they change."""

from __future__ import annotations

import tempfile
import threading
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

from perfsuite.backends.registry import slug_of
from perfsuite.errors import HistoryError, UsageError
from perfsuite.history.address import history_url
from perfsuite.history.database import History
from perfsuite.history.imports import files_in, rows_in
from perfsuite.history.rows import Rows
from perfsuite.records.session import Session
from perfsuite.store.documents import StoredSession

#: How many whole sessions are kept in memory: a page holds one against eight, and readers go back and forth. One of 32
#: variants takes some 10 MB.
_REMEMBERED = 32


class Shelf:
    """A history, whole sessions of it that were read before, and files that are not in it, with why."""

    def __init__(self, history: History, unread: tuple[str, ...] = ()) -> None:
        self.history = history
        self.unread = unread
        self._sessions: OrderedDict[tuple[str, int], Session] = OrderedDict()
        self._lock = threading.Lock()

    def session(self, id: str) -> Session | None:
        """The whole session; None if there is none."""
        entries = self.history.entries(id)
        if entries is None:
            return None
        key = (id, entries)  # one that was cut short may be replaced by a longer one
        with self._lock:
            if found := self._sessions.get(key):
                self._sessions.move_to_end(key)
                return found
        found = self.history.session(id)
        if found is not None:
            with self._lock:
                self._sessions[key] = found
                while len(self._sessions) > _REMEMBERED:
                    self._sessions.popitem(last=False)
        return found

    def older(self, session: Session, *, most: int) -> tuple[StoredSession, ...]:
        """What it is held against, the newest first: those before it of its machine class and stack, or another's."""
        measured = {one.variant.id for one in session.measurements}
        others = {one.variant.id for one in session.failures} | {one.variant.id for one in session.unsupported}
        machine, stack, begun = session.machine.slug, slug_of(session.stack), session.begun_compact
        ids = self.history.last(machine, measured | others, stack=stack, most=most, before=begun)
        return tuple(StoredSession(session=found, accepted_at=None) for id in ids if (found := self.session(id)))


class Library(ABC):
    """Where a shelf is had from; several threads may ask."""

    @abstractmethod
    def shelf(self) -> Shelf:
        """What is there now; HistoryError if it cannot be read."""

    @abstractmethod
    def close(self) -> None:
        """Let go of it."""


class Kept(Library):
    """The project's history."""

    def __init__(self, history: History) -> None:
        self._shelf = Shelf(history)

    def shelf(self) -> Shelf:
        return self._shelf

    def close(self) -> None:
        self._shelf.history.close()


class Files(Library):
    """Files, and the ``*.json`` of folders: a history of their own, as long as the server runs."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = paths
        self._folder = tempfile.TemporaryDirectory(prefix="perfsuite-serve-")
        self._lock = threading.Lock()
        self._read: dict[Path, tuple[tuple[int, int], Rows | str]] = {}
        self._shelf: Shelf | None = None
        self._made = 0

    def shelf(self) -> Shelf:
        with self._lock:
            gone = {path: ((0, 0), f"there is no {path} any more") for path in self._paths if not path.exists()}
            there = files_in([path for path in self._paths if path not in gone])
            found = {path: self._rows(path) for path in there} | gone
            if self._shelf is None or found != self._read:
                self._read = found
                self._shelf = self._filled([rows for _, rows in found.values()])
            return self._shelf

    def close(self) -> None:
        if self._shelf:
            self._shelf.history.close()
        self._folder.cleanup()

    def _rows(self, path: Path) -> tuple[tuple[int, int], Rows | str]:
        try:
            stat = path.stat()
            state = (stat.st_mtime_ns, stat.st_size)
            known = self._read.get(path)
            return known if known and known[0] == state else (state, rows_in(path))
        except UsageError as error:
            return state, str(error)
        except OSError as error:  # it went between being listed and being looked at
            return (0, 0), f"{path} cannot be read: {error.strerror}"

    def _filled(self, found: Sequence[Rows | str]) -> Shelf:
        """A new file: who still reads the last one is not disturbed."""
        if self._shelf:
            self._shelf.history.close()
        self._made += 1
        history = History(history_url(Path(self._folder.name), f"sqlite:///{self._made}.sqlite", {}))
        unread = []
        for rows in found:
            try:
                if isinstance(rows, Rows):
                    history.keep(rows)  # a file and its copy are one session
                else:
                    unread.append(rows)
            except HistoryError as error:
                unread.append(str(error))
        return Shelf(history, tuple(unread))
