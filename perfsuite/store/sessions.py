"""Stored sessions -> the measurements to explain, two by two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from perfsuite.backends.registry import slug_of
from perfsuite.errors import UsageError
from perfsuite.records.baseline import Baseline, Incomparable, Lack, Missing
from perfsuite.records.measurement import Measurement
from perfsuite.records.session import Session
from perfsuite.spec import Variant
from perfsuite.store.baselines import Baselines
from perfsuite.store.counting import baseline_in, variants_in
from perfsuite.store.documents import KEY, UNTRUSTED, StoredSession, parsed, stored_session

#: Between a file and a variant's id, as between a file and a test in pytest.
_SEPARATOR = "::"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """What is to be explained: the same variant twice, or two variants that the user named."""

    before: Measurement
    after: Measurement


def read_stored(path: Path) -> StoredSession:
    """The session in a pytest-benchmark file; benchmarks of others in it are left out.

    Raises
    ------
    UsageError
        If there is no such file, or no measurement of perfsuite's in it.
    """
    try:
        document = parsed(path.read_bytes())
        if _is_older(document):
            raise UsageError(f"{path} was written by an older perfsuite, whose sessions are read no more: measure anew")
        found = stored_session(document)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except UNTRUSTED as error:
        raise UsageError(
            f"{path} is not a stored session ({type(error).__name__}: {error}): "
            "give a baseline, or a file that pytest --benchmark-only --benchmark-json FILE wrote"
        ) from error
    if not found.session.measurements:
        raise UsageError(f"{path} holds no measurement of perfsuite's: pytest --benchmark-only stores them")
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """A candidate, and the sessions of one stack that it is held against, the newest first; the last ``most`` count."""

    candidate: Session
    sessions: tuple[StoredSession, ...]
    most: int

    def find(self, measurement: Measurement) -> Baseline | Missing | Incomparable:
        """As ``Baselines.find``, in these sessions alone."""
        if not self.sessions:
            return Missing(kind=Lack.NO_CLASS, machine_slug=measurement.machine.slug)
        found = baseline_in(self.sessions, measurement, self.most)
        stacks = (slug_of(self.sessions[0].session.stack),)
        return found or Missing(kind=Lack.NO_VARIANT, machine_slug=measurement.machine.slug, stacks=stacks)

    @property
    def variants(self) -> tuple[Variant, ...]:
        """What the sessions have."""
        return tuple(variants_in(self.sessions))


def accepted_files(folder: Path, candidate: Session) -> list[Path]:
    """The project's baselines of its machine class: of its own stack, or else of the newest accepted; perhaps none."""
    baselines = Baselines(folder, most=1)
    own = slug_of(candidate.stack)
    accepted = baselines.stacks(candidate.machine)
    chosen = own if own in accepted else next(iter(accepted), own)
    return sorted((folder / candidate.machine.slug / chosen).glob("*.json"))


def read_pool(baselines: Sequence[Path], candidate: Session, *, most: int) -> Pool:
    """Read what a candidate is to be held against.

    Raises
    ------
    UsageError
        If a file cannot be read, if one is given twice, or if they are of several machine classes or baseline stacks.
    """
    found = {path: read_stored(path) for path in baselines}
    ids = {path: one.session.id for path, one in found.items()}
    for path, one in found.items():
        if one.session.machine != candidate.machine:
            raise UsageError(
                f"{path} is of machine class {one.session.machine.slug}, the candidate of {candidate.machine.slug}: "
                "timings of two kinds of machine cannot be compared"
            )
        if list(ids.values()).count(one.session.id) > 1 or one.session.id == candidate.id:
            raise UsageError(f"{path} is a session that is given twice ({one.session.id}): give each once")
    slugs = sorted({slug_of(one.session.stack) for one in found.values()})
    if len(slugs) > 1:
        raise UsageError(f"--baseline: sessions of several stacks ({', '.join(slugs)}): give those of one")
    newest_first = sorted(found.values(), key=lambda one: one.session.begun_compact, reverse=True)
    return Pool(candidate=candidate, sessions=tuple(newest_first), most=most)


def _is_older(document: Any) -> bool:
    """Whether each measurement is whole, and no session around them: as it was before there were sessions."""
    return KEY not in document and any(KEY in one["extra_info"] for one in document["benchmarks"])


def read_contrasts(before: str, after: str) -> tuple[Contrast, ...]:
    """``before`` and ``after`` are FILE or FILE::VARIANT; a variant named once stands for both.

    Raises
    ------
    UsageError
        If a file cannot be read, a variant is not in it, or there is nothing to compare.
    """
    (old_file, old_id), (new_file, new_id) = _split(before), _split(after)
    old_id, new_id = old_id or new_id, new_id or old_id
    old = _by_id(Path(old_file))
    new = old if new_file == old_file else _by_id(Path(new_file))
    if (old_file, old_id) == (new_file, new_id):
        raise UsageError(f"{before} is given twice: name two files, or two variants of one, as FILE::VARIANT")
    if old_id:
        return (Contrast(before=_named(old, old_id, old_file), after=_named(new, new_id, new_file)),)
    common = [name for name in new if name in old]
    if not common:
        raise UsageError(f"{old_file} and {new_file} have no variant in common: name one in each, as FILE::VARIANT")
    return tuple(Contrast(before=old[name], after=new[name]) for name in common)


def _split(argument: str) -> tuple[str, str]:
    file, _, variant_id = argument.partition(_SEPARATOR)
    return file, variant_id


def _by_id(path: Path) -> dict[str, Measurement]:
    return {one.variant.id: one for one in read_stored(path).session.measurements}


def _named(session: dict[str, Measurement], variant_id: str, file: str) -> Measurement:
    if variant_id not in session:
        raise UsageError(f"{file} has no variant {variant_id}; it has {', '.join(sorted(session))}")
    return session[variant_id]
