"""The shards of one night -> its session."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from perfsuite.backends.registry import slug_of
from perfsuite.errors import UsageError
from perfsuite.records.session import MachineState, Session
from perfsuite.store.documents import parsed, verdicts_in, with_verdicts, write_session
from perfsuite.store.sessions import read_stored

#: In what shards of one night are alike, as words of it that a user can act on.
_ALIKE: Mapping[str, Callable[[Session], object]] = {
    "machine class": lambda one: one.machine.slug,
    "stack": lambda one: slug_of(one.stack),
    "Python": lambda one: one.stack.python,
    "commit": lambda one: one.commit.id if one.commit else None,
    "perfsuite": lambda one: one.perfsuite,
    "variables": lambda one: one.environment,
    "settings": lambda one: one.settings,
    "packages": lambda one: (one.stack.packages, one.contents),
    "machine": lambda one: one.machine,
}


def read_night(files: Sequence[Path]) -> Session:
    """The session in a file, or the one of all its shards.

    Raises
    ------
    UsageError
        If a file cannot be read; of several, if they are not all shards of one night, of one machine class, stack,
        commit, environment and settings.
    """
    sessions = {path: read_stored(path).session for path in files}
    if len(sessions) < len(files):
        raise UsageError("--candidate: a file is given twice: give each shard once")
    (first, *others) = sessions
    if not others:
        return sessions[first]
    for path in others:
        _check_alike(first, sessions[first], path, sessions[path])
    _check_whole(sessions)
    return _joined(sorted(sessions.values(), key=lambda one: one.begun_compact))


def write_night(files: Sequence[Path], session: Session, path: Path) -> None:
    """Write the session that was read from the files, as a timing run writes one; OSError if that cannot be."""
    documents = [parsed(file.read_bytes()) for file in files]
    benchmarks = [one for document in documents for one in document["benchmarks"]]
    verdicts = {name: one for document in documents for name, one in verdicts_in(document).items()}
    whole = with_verdicts(documents[0], verdicts)
    write_session(path, {**whole, "benchmarks": [_of(session, one) for one in benchmarks]}, session)


def _of(session: Session, benchmark: dict[str, Any]) -> dict[str, Any]:
    extra = benchmark["extra_info"]
    ours = {key: {**one, "session": session.id} for key, one in extra.items() if key == "perfsuite"}
    return {**benchmark, "extra_info": {**extra, **ours}}


def _check_alike(first: Path, one: Session, path: Path, other: Session) -> None:
    for what, of in _ALIKE.items():
        if of(one) != of(other):
            told = (f" ({mine} and {its})" for mine, its in [(of(one), of(other))] if isinstance(mine, str))
            raise UsageError(
                f"{first} and {path} are of another {what}{next(told, '')}: shards of one night are measured "
                "on identical runners, of one commit, in one environment"
            )


def _check_whole(sessions: Mapping[Path, Session]) -> None:
    """Nothing that is not there passes in silence, and nothing counts twice."""
    shards = {path: one.shard for path, one in sessions.items()}
    if whole := [str(path) for path, shard in shards.items() if shard is None]:
        raise UsageError(f"{', '.join(whole)}: a whole session, and no shard of one: give it alone")
    counts = {shard.count for shard in shards.values() if shard}
    if len(counts) > 1:
        raise UsageError(f"--candidate: shards of several nights, of {' and '.join(map(str, sorted(counts)))} parts")
    (count,) = counts
    times = Counter(shard.number for shard in shards.values() if shard)
    if missing := [str(number) for number in range(1, count + 1) if not times[number]]:
        raise UsageError(f"--candidate: of {count} shards these are missing: {', '.join(missing)}")
    if twice := [str(number) for number, times_there in times.items() if times_there > 1]:
        raise UsageError(f"--candidate: of {count} shards these are there twice: {', '.join(twice)}")
    measured = Counter(name for one in sessions.values() for name in _names(one))
    if overlapping := sorted(name for name, times_there in measured.items() if times_there > 1):
        raise UsageError(f"--candidate: several shards have {', '.join(overlapping)}: they divided another night")


def _names(session: Session) -> Iterator[str]:
    yield from (one.variant.id for one in session.measurements)
    yield from (one.variant.id for one in session.failures)
    yield from (one.variant.id for one in session.unsupported)


def _joined(shards: Sequence[Session]) -> Session:
    """``shards`` in the order in which they began; it begins with the first, and has the same name whoever joins it."""
    first = shards[0]
    digest = hashlib.sha256(" ".join(one.id for one in shards).encode()).hexdigest()
    name = f"{first.begun_compact}-{digest[:4]}"
    measurements = (replace(entry, session=name) for one in shards for entry in one.measurements)
    return replace(
        first,
        id=name,
        state=_common(shards),
        measurements=tuple(sorted(measurements, key=lambda entry: entry.variant.id)),
        failures=tuple(entry for one in shards for entry in one.failures),
        unsupported=tuple(entry for one in shards for entry in one.unsupported),
        restarted=frozenset().union(*(one.restarted for one in shards)),
        given_up=frozenset().union(*(one.given_up for one in shards)),
        shard=None,
    )


def _common(shards: Sequence[Session]) -> MachineState:
    """What is the same on all runners; the rest is not told."""
    values = {field.name: {getattr(one.state, field.name) for one in shards} for field in fields(MachineState)}
    return MachineState(**{name: found.pop() for name, found in values.items() if len(found) == 1})
