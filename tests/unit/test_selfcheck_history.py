"""The benchmark of a history, in small, on both databases."""

from __future__ import annotations

import contextlib

import pytest
from histories import server, url
from sqlalchemy.engine import URL

from perfsuite.cli import main
from perfsuite.errors import UsageError
from perfsuite.history.database import History
from perfsuite.selfcheck.history import run

__all__ = ["server", "url"]


def test_a_database_is_filled_and_timed_and_a_full_one_refused(url: URL, capsys: pytest.CaptureFixture[str]) -> None:
    database = url.render_as_string(hide_password=False)
    assert run(sessions=40, database=database) in (0, 1)  # how fast is the machine's business
    head, some, all_, asked = capsys.readouterr().out.splitlines()
    assert head.split()[:4] == ["sessions", "series", "overview", "append"]
    # The five readings of what one more takes leave five more.
    assert [line.split()[0] for line in (some, all_, asked)] == ["9", "50", "asked"]
    with contextlib.closing(History(url)) as history:
        assert len(history.sessions()) == 50
    with pytest.raises(UsageError, match=r"--database: .* holds 50 sessions; name an empty one"):
        run(sessions=40, database=database)


def test_what_is_no_address_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["selfcheck", "history", "--database", "mysql://somebody@here/it"]) == 2
    assert "--database names mysql: the history is kept in sqlite or postgresql" in capsys.readouterr().err
