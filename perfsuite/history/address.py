"""Where the history lies: a file of the project's own, or what a setting or variable says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from perfsuite.errors import UsageError

VARIABLE = "PERFSUITE_HISTORY"
FOLDER, FILE = ".perfsuite", "history.sqlite"
#: What SQLAlchemy would take psycopg2 for, which is kept no more.
_POSTGRESQL = "postgresql+psycopg"
_DRIVERS = {"postgres": _POSTGRESQL, "postgresql": _POSTGRESQL, _POSTGRESQL: _POSTGRESQL, "sqlite": "sqlite"}


def history_url(root: Path, setting: str | None, environ: Mapping[str, str]) -> URL:
    """The variable wins over the setting, and either over the project's own file.

    UsageError, which tells no password, for what is no address of SQLite or PostgreSQL.
    """
    said, where = (environ[VARIABLE], VARIABLE) if environ.get(VARIABLE) else (setting, "[tool.perfsuite] history")
    if not said:
        return URL.create("sqlite", database=str(root / FOLDER / FILE))
    return parse_address(said, where, root)


def parse_address(said: str, where: str, root: Path) -> URL:
    """A database's address; ``where`` is the option, setting or variable that said it. UsageError as above."""
    try:
        url = make_url(said)
    except (ArgumentError, ValueError):
        raise UsageError(
            f"{where} is no database address: write sqlite:///history.sqlite, or postgresql://USER@HOST/DATABASE with "
            "the password in ~/.pgpass or PGPASSWORD"
        ) from None
    if url.drivername not in _DRIVERS:
        raise UsageError(f"{where} names {url.drivername}: the history is kept in sqlite or postgresql")
    url = url.set(drivername=_DRIVERS[url.drivername])
    if url.drivername == "sqlite" and url.database and not Path(url.database).is_absolute():
        url = url.set(database=str(root / url.database))
    return url


def is_there(url: URL) -> bool:
    """False of a file that nobody has made yet; a server is asked when it is opened."""
    return url.drivername != "sqlite" or bool(url.database and Path(url.database).is_file())


def shown(url: URL) -> str:
    """The address without its passwords: of the user, and of what may stand in the query."""
    if url.drivername == "sqlite":
        return url.database or ""
    hidden = {name: "***" if "pass" in name.lower() else value for name, value in url.query.items()}
    return url.set(query=hidden).render_as_string(hide_password=True)
