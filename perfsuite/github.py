"""What a GitHub job is given by itself while perfsuite runs in one: its step's summary, and places for annotations."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from pathlib import Path

from perfsuite.models.base import Model
from perfsuite.report.github import SUMMARY_BYTES, Place


def in_job() -> bool:
    """Whether a job's log is read for annotations."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


def place_of(model: Model) -> Place | None:
    """Where the model's class begins; None where that is no file of the repository that the job is of."""
    root = Path(os.environ.get("GITHUB_WORKSPACE") or Path.cwd()).resolve()
    try:
        file = inspect.getsourcefile(type(model))
        _, line = inspect.getsourcelines(type(model))
    except (OSError, TypeError):  # made by hand, or its file is gone
        return None
    path = Path(file or "").resolve()
    return Place(file=path.relative_to(root).as_posix(), line=line) if path.is_relative_to(root) else None


def add_summary(text: Callable[[int], str]) -> list[str]:
    """Append to the step's summary, if there is one, the text of at most so many bytes; what is to be said of it.

    A summary that is too long GitHub drops whole, and what cannot be written costs no run its verdict.
    """
    name = os.environ.get("GITHUB_STEP_SUMMARY")
    if not name:
        return []
    path = Path(name)
    try:
        taken = path.stat().st_size if path.exists() else 0
        with path.open("a", encoding="utf-8") as file:
            file.write(text(SUMMARY_BYTES - taken))
    except OSError as error:
        return [f"the summary of this step is not written: {path}: {error.strerror}"]
    return []


def write_text(path: Path, text: str) -> list[str]:
    """What is to be said if that cannot be: a report costs no run its verdict."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        return [f"{path} is not written: {error.strerror}"]
    return []
