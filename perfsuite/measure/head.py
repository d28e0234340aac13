"""The head of a session: all that its measurements have in common, and the circumstances."""

from __future__ import annotations

import secrets
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import perfsuite
from perfsuite.machine.cpu import read_cpu
from perfsuite.machine.state import machine_state
from perfsuite.measure.contents import contents
from perfsuite.records.session import Commit, Session

if TYPE_CHECKING:
    from perfsuite.measure.rig import Rig
    from perfsuite.settings import Settings

#: How the settings of a session name the user's own models.
OWN_MODEL = "models."
_GIT_TIMEOUT_S = 30.0  # `git status` of a large tree on a cold disk takes seconds


def session_head(rig: Rig, root: Path) -> Session:
    """A session of the rig that begins now; ``root`` is the folder of the user's project.

    Reads the state of the machine first, for what follows adds to the load.
    """
    state = machine_state(read_cpu())
    head = Session(
        id="",
        begun_at=datetime.now(UTC).isoformat(timespec="microseconds"),
        perfsuite=perfsuite.__version__,
        commit=commit_of(root),
        stack=rig.stack,
        contents=contents(rig.other_python),
        machine=rig.machine,
        state=state,
        environment=rig.environment,
        settings=deciding(rig.settings),
        placement=rig.placement,
    )
    return replace(head, id=f"{head.begun_compact}-{secrets.token_hex(2)}")


def deciding(settings: Settings) -> dict[str, int | float | str | None]:
    """The settings that decide what a figure is, the user's own models among them."""
    return {
        "measure_s": settings.measure_s,
        "warm_up_limit_s": settings.warm_up_limit_s,
        "weights": settings.weights,
        **{f"{OWN_MODEL}{name}": target for name, target in sorted(settings.models.items())},
    }


def commit_of(root: Path) -> Commit | None:
    """The commit of a working tree; None outside git, without git, and before the first commit."""
    found = _git(root, "rev-parse", "HEAD")
    if found is None:
        return None
    # As `git describe --dirty`: what is not tracked, results say, is no other code.
    return Commit(id=found, dirty=_git(root, "status", "--porcelain", "--untracked-files=no") != "")


def _git(root: Path, *arguments: str) -> str | None:
    command = ["git", "-C", str(root), *arguments]
    try:
        return subprocess.run(
            command, capture_output=True, text=True, timeout=_GIT_TIMEOUT_S, check=True
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None
