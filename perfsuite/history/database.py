"""The history's database: SQLite or PostgreSQL, many writers at once, one transaction a session."""

from __future__ import annotations

import contextlib
import random
import sqlite3
import time
import zlib
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, create_engine, delete, event, insert, inspect, select, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import IntegrityError, OperationalError, SQLAlchemyError

from perfsuite.errors import HistoryError
from perfsuite.history import queries
from perfsuite.history.address import shown
from perfsuite.history.rows import Rows, circumstances_of, session_of
from perfsuite.history.schema import DOCUMENTS, ENTRIES, SESSIONS
from perfsuite.records.history import KeptSession, Metric, Point, Series
from perfsuite.records.session import Session

T = TypeVar("T")

#: The newest of ``migrations/versions``; a test holds it.
REVISION = "0001"
#: How long a writer waits for others, as often as it tries: SQLite takes one at a time, each some milliseconds
#: (judgement: 20 at once; a night's end is not to hang on a lock that nobody lets go of).
_WAIT_S = 5.0
_TRIES = 6
#: How often the same session can come in between: once, for it is there afterwards.
_RACES = 2
#: Any number: whoever makes or changes tables in PostgreSQL holds this lock.
_LOCK = 7_203_114


class History:
    """Opened at an address; HistoryError, which tells no password, wherever the database does not answer."""

    def __init__(self, url: URL) -> None:
        self.address = shown(url)
        self._is_file = url.drivername == "sqlite"
        how: dict[str, Any] = {"connect_timeout": 10}
        if self._is_file:
            if url.database:
                Path(url.database).parent.mkdir(parents=True, exist_ok=True)
            how = {"timeout": _WAIT_S}
        try:
            self._engine = create_engine(url, connect_args=how)
        except ModuleNotFoundError as error:
            raise HistoryError(
                f"the history at {self.address} needs {error.name}: pip install 'psycopg[binary]'"
            ) from None
        if self._is_file:
            event.listen(self._engine, "connect", _configure)
            event.listen(self._engine, "begin", _begin)
        try:
            self._retried(self._migrate)
        except HistoryError:
            self.close()
            raise

    def close(self) -> None:
        """Let go of every connection."""
        self._engine.dispose()

    def keep(self, rows: Rows) -> bool:
        """Keep a session; False if it is there already, with as many variants. One that was cut short is replaced."""

        def kept() -> bool:
            with self._writing() as connection:
                where = SESSIONS.c.id == rows.session["id"]
                there = connection.execute(select(SESSIONS.c.entries).where(where)).scalar()
                if there is not None and there >= rows.session["entries"]:
                    return False
                if there is not None:
                    connection.execute(delete(SESSIONS).where(where))
                connection.execute(insert(SESSIONS), rows.session)
                if rows.entries:
                    connection.execute(insert(ENTRIES), list(rows.entries))
                if rows.document is not None:
                    connection.execute(insert(DOCUMENTS), {"session": rows.session["id"], "content": rows.document})
                return True

        for _ in range(_RACES):
            # Another writer may have been faster with the very same session: then it is there, and is looked at again.
            with contextlib.suppress(IntegrityError):
                return self._retried(kept)
        raise HistoryError(
            f"the history at {self.address} takes no session {rows.session['id']}: it names a variant twice"
        )

    def sessions(self, *, last: int | None = None, words: Sequence[str] = ()) -> tuple[KeptSession, ...]:
        """Oldest first; of many only the ``last`` ones that all ``words`` are in, or in the name of a variant."""

        def read(connection: Connection) -> tuple[KeptSession, ...]:
            rows = connection.execute(queries.sessions(last, words)).all()[::-1]
            if not rows:
                return ()
            verdicts: dict[str, dict[str, int]] = {}
            for session, verdict, count in connection.execute(queries.verdicts_since(rows[0].begun)):
                verdicts.setdefault(session, {})[verdict] = count
            return tuple(
                KeptSession(
                    id=row.id, begun=row.begun, machine_slug=row.machine, stack_slug=row.stack, commit=row.revision,
                    entries=row.entries, verdicts=verdicts.get(row.id, {}), whole=row.whole,
                )
                for row in rows
            )  # fmt: skip

        return self._read(read)

    def count(self, words: Sequence[str] = ()) -> int:
        """How many sessions all ``words`` are in."""
        found: int = self._read(lambda connection: connection.execute(queries.count(words)).scalar_one())
        return found

    def series(
        self,
        variant: str,
        metric: Metric,
        *,
        stack: str | None = None,
        machine: str | None = None,
        last: int | None = None,
    ) -> tuple[Series, ...]:
        """The variant's figures, a series for each machine class; of one stack or machine class if it is named.

        Of many only the ``last`` ones of all.
        """
        points: dict[str, list[Point]] = {}
        asked = queries.series(variant, metric, stack=stack, machine=machine, last=last)
        for row in self._read(lambda connection: connection.execute(asked).all())[::-1]:
            point = Point(
                session=row.id, begun=row.begun, machine_slug=row.machine, stack_slug=row.stack,
                value=row.value, verdict=row.verdict, circumstances=circumstances_of(row.circumstances),
            )  # fmt: skip
            points.setdefault(row.machine, []).append(point)
        return tuple(
            Series(variant=variant, metric=metric, machine_slug=slug, points=tuple(found))
            for slug, found in points.items()
        )

    def newest(self, words: Sequence[str] = ()) -> dict[str, str]:
        """Every variant whose name all ``words`` are in, in order, and the newest session that has it."""
        found = self._read(lambda connection: connection.execute(queries.newest(words)).all())
        return {row[0]: row[1] for row in found}

    def last(
        self, machine: str, variants: Collection[str], *, stack: str, most: int, before: str | None = None
    ) -> tuple[str, ...]:
        """Ids of the machine class's whole sessions that began ``before`` one, or of all: the newest first.

        The last ``most`` that have one of the variants, for each; of that stack, or else of the newest other.
        """
        older = queries.older(machine, before)

        def read(connection: Connection) -> tuple[str, ...]:
            of_its_own = connection.execute(older.where(SESSIONS.c.stack == stack)).first()
            newest = of_its_own or connection.execute(older).first()
            if newest is None:
                return ()
            asked = queries.last_of_each(older.where(SESSIONS.c.stack == newest.stack), variants, most)
            return tuple(connection.execute(asked).scalars())

        return self._read(read)

    def session(self, id: str) -> Session | None:
        """The whole session; None if there is none of this id, or others measured it."""
        asked = select(DOCUMENTS.c.content).where(DOCUMENTS.c.session == id)
        content: bytes | None = self._read(lambda connection: connection.execute(asked).scalar())
        if content is None:
            return None
        try:
            return session_of(content)
        except (ValueError, zlib.error) as error:
            raise HistoryError(
                f"session {id} of the history at {self.address} cannot be read ({error}): another perfsuite wrote it"
            ) from error

    def entries(self, id: str) -> int | None:
        """How many variants the session has; None if there is none of this id."""
        asked = select(SESSIONS.c.entries).where(SESSIONS.c.id == id)
        found: int | None = self._read(lambda connection: connection.execute(asked).scalar())
        return found

    def _read(self, do: Callable[[Connection], T]) -> T:
        def read() -> T:
            with self._engine.connect() as connection:
                return do(connection)

        return self._retried(read)

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """One transaction; whole, or not at all."""
        with self._engine.connect().execution_options(perfsuite_writes=True) as connection, connection.begin():
            yield connection

    def _migrate(self) -> None:
        with self._engine.connect() as connection:
            if _revision(connection) == REVISION:
                return
        with self._writing() as connection:
            if not self._is_file:
                connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
            found = _revision(connection)
            if found == REVISION:  # another writer was faster
                return
            if found is not None and found > REVISION:
                raise HistoryError(f"the history at {self.address} was written by a newer perfsuite: update this one")
            from alembic import command
            from alembic.config import Config
            from alembic.util import CommandError

            config = Config()
            config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
            config.attributes["connection"] = connection
            try:
                command.upgrade(config, "head")
            except CommandError as error:
                raise HistoryError(f"the tables at {self.address} are not perfsuite's: {error}") from None

    def _retried(self, do: Callable[[], T]) -> T:
        """Again where another writer was in the way; HistoryError where the database does not answer."""
        for number in range(_TRIES):
            try:
                return do()
            except OperationalError as error:
                if number + 1 == _TRIES or not _is_in_the_way(error):
                    raise HistoryError(f"the history at {self.address} does not answer: {_reason(error)}") from None
                time.sleep(random.uniform(0.5, 1.5) * 0.05 * 2**number)
            except IntegrityError:
                raise
            except SQLAlchemyError as error:
                raise HistoryError(f"the history at {self.address} cannot be used: {_reason(error)}") from None
        raise AssertionError


def _configure(connection: Any, _: object) -> None:
    """SQLite as its documentation has it for many writers; transactions are begun by ``_begin``."""
    connection.isolation_level = None
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    """Whoever writes says so at once: two that read first and write then would wait for one another."""
    writes = connection.get_execution_options().get("perfsuite_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _is_in_the_way(error: OperationalError) -> bool:
    """Whether others held what this one needs: SQLite's lock, PostgreSQL's serialisation, deadlocks and connections."""
    if isinstance(error.orig, sqlite3.Error):
        return error.orig.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    return getattr(error.orig, "sqlstate", None) in ("40001", "40P01", "53300")


def _reason(error: SQLAlchemyError) -> str:
    """The driver's first line: statements and parameters are nobody's business."""
    told = str(getattr(error, "orig", None) or type(error).__name__).strip()
    return told.splitlines()[0] if told else type(error).__name__
