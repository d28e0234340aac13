"""The user's own project at another commit: its models, judged as a stack is."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from perfsuite.errors import UsageError

#: Seconds that git may take to check a project out (judgement: a large one on a cold disk).
_TIMEOUT_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A commit of the repository that ``project`` lies in."""

    commit: str
    repository: Path
    project: Path

    @contextmanager
    def checkout(self, folder: Path) -> Iterator[Path]:
        """The project's folder in a worktree at ``folder``, which goes with the ``with`` block.

        Of a run that was killed git itself forgets the worktree, once its folder is swept.
        """
        _git(self.repository, "worktree", "prune")
        _git(self.repository, "worktree", "add", "--detach", "--quiet", str(folder), self.commit)
        try:
            yield folder / self.project.relative_to(self.repository)
        finally:
            with contextlib.suppress(UsageError):
                _git(self.repository, "worktree", "remove", "--force", str(folder))

    def there(self, path: str, checkout: Path) -> str:
        """Where a path of the repository lies in the checkout of the project; any other path as it is."""
        whole = Path(os.path.abspath(path))
        if not whole.is_relative_to(self.repository):
            return path
        return os.path.normpath(checkout / os.path.relpath(whole, self.project))


def code_at(commit: str, project: Path) -> Code:
    """The project at what ``commit`` names now: a branch, a tag, a hash.

    Raises
    ------
    UsageError
        If the project is not in a git repository, or that has no such commit.
    """
    project = project.resolve()
    repository = Path(_git(project, "rev-parse", "--show-toplevel")).resolve()
    found = _git(repository, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{commit}^{{commit}}")
    return Code(commit=found, repository=repository, project=project)


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=_TIMEOUT_S, check=True)
    except FileNotFoundError as error:
        raise UsageError("a commit of the project needs git, which is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise UsageError(f"git {arguments[0]} in {folder} took more than {_TIMEOUT_S:.0f} s") from error
    except subprocess.CalledProcessError as error:
        said = error.stderr.strip().splitlines()
        what = said[-1] if said else f"there is no commit {arguments[-1].removesuffix('^{commit}')}"
        raise UsageError(f"git in {folder}: {what}") from error
    return done.stdout.strip()
