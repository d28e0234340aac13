"""What a timing run leaves in the history, and where the history does not answer."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

_ONE = ("--benchmark-only", "-k", "tiny and stock and eager and fp32", "--replicates", "1", "--no-evidence")


def _perfsuite(project: pytest.Pytester, *arguments: str) -> str:
    command = [str(Path(sys.executable).with_name("perfsuite")), "history", *arguments]
    return subprocess.run(command, cwd=project.path, capture_output=True, text=True, check=True).stdout


def test_a_session_goes_into_the_project_s_history_or_into_a_file_that_can_be_imported(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERFSUITE_HISTORY", "postgresql://me:secret@127.0.0.1:1/nights")
    lost = project.runpytest_subprocess(*_ONE)
    assert lost.ret == 0
    lost.stdout.fnmatch_lines(
        [
            "history: *postgresql+psycopg://me:?*?@127.0.0.1:1/nights does not answer:*",
            "  the session is in a file, to be taken in by",
            "  perfsuite history import .perfsuite/*.json",
        ]
    )
    assert "secret" not in lost.stdout.str() + lost.stderr.str()

    monkeypatch.delenv("PERFSUITE_HISTORY")
    (file,) = (project.path / ".perfsuite").glob("*.json")
    assert "taken in 1 of 1," in _perfsuite(project, "import", str(file))
    kept = project.runpytest_subprocess(*_ONE, "--report-html=page.html")
    assert kept.ret == 0
    assert "history: " not in kept.stdout.str()
    assert "2 sessions, from " in (project.path / "page.html").read_text(encoding="utf-8")
    assert _perfsuite(project).count("1 variant: ") == 2
    assert "2 sessions from " in _perfsuite(project, "series", "tiny-stock-eager-fp32-latency")
    with sqlite3.connect(project.path / ".perfsuite" / "history.sqlite") as connection:
        verdicts = connection.execute("SELECT verdict FROM entries ORDER BY session").fetchall()
    connection.close()
    assert verdicts == [("missing-baseline",)] * 2
