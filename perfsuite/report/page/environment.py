"""What of two sessions, or of two stacks, was not the same, name by name."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping

from perfsuite.records.explanation import Setting
from perfsuite.records.measurement import Stack
from perfsuite.records.session import MachineState, Session

_DIGEST_DIGITS = 12  # as many as git shows of a commit


def session_settings(before: Session, after: Session) -> tuple[Setting, ...]:
    """Packages, variables, the machine's state, the project's commit, and settings that decide what a figure is."""
    states = [_state(one.state) for one in (before, after)]
    commits = [{"commit of the project": commit_words(one)} for one in (before, after)]
    chosen = [{f"setting {name}": str(value) for name, value in one.settings.items()} for one in (before, after)]
    return (
        *stack_settings(before.stack, after.stack),
        *_contents(before, after),
        *changed_settings(before.environment, after.environment),
        *changed_settings(*states),
        *changed_settings(*commits),
        *changed_settings(*chosen),
        *changed_settings({"perfsuite": before.perfsuite}, {"perfsuite": after.perfsuite}),
    )


def stack_settings(before: Stack, after: Stack) -> tuple[Setting, ...]:
    """The interpreter and each package that is another."""
    pythons = changed_settings({"Python": before.python}, {"Python": after.python})
    return (*pythons, *changed_settings(before.packages, after.packages))


def _contents(before: Session, after: Session) -> Iterator[Setting]:
    """Packages of one version whose files are others."""
    for name in sorted(before.contents.keys() & after.contents.keys()):
        was, now = before.contents[name], after.contents[name]
        if was != now and before.stack.packages.get(name) == after.stack.packages.get(name):
            yield Setting(name=f"files of {name}", before=was[:_DIGEST_DIGITS], after=now[:_DIGEST_DIGITS])


def _state(state: MachineState) -> dict[str, str]:
    fields = {field.name: getattr(state, field.name) for field in dataclasses.fields(state)}
    return {name.replace("_", " "): str(value) for name, value in fields.items() if value is not None}


def commit_words(session: Session) -> str:
    """The project's commit, as git shows it in short."""
    if session.commit is None:
        return "none"
    return session.commit.id[:_DIGEST_DIGITS] + (", and files that differ from it" if session.commit.dirty else "")


def changed_settings(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Setting]:
    """Each name whose value is another, or that one side alone has."""
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            yield Setting(name=name, before=before.get(name), after=after.get(name))
