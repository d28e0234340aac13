"""Stored sessions -> the measurements to explain, two by two."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from perfsuite.errors import UsageError
from perfsuite.records.measurement import Measurement
from perfsuite.store.entries import EXTRA_INFO_KEY, UNTRUSTED, measurement_in

#: Between a file and a variant's id, as between a file and a test in pytest.
_SEPARATOR = "::"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """What is to be explained: the same variant twice, or two variants that the user named."""

    before: Measurement
    after: Measurement


def read_session(path: Path) -> tuple[Measurement, ...]:
    """Every measurement in a pytest-benchmark file; benchmarks of others in it are left out.

    Raises
    ------
    UsageError
        If there is no such file, or no measurement of perfsuite's in it.
    """
    try:
        document: Any = msgspec.json.decode(path.read_bytes())
        mine = [one for one in document["benchmarks"] if EXTRA_INFO_KEY in one["extra_info"]]
        measurements = tuple(measurement_in(one) for one in mine)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except UNTRUSTED as error:
        raise UsageError(
            f"{path} is not a stored session ({type(error).__name__}: {error}): "
            "give a baseline, or a file that pytest --benchmark-only --benchmark-json FILE wrote"
        ) from error
    if not measurements:
        raise UsageError(f"{path} holds no measurement of perfsuite's: pytest --benchmark-only stores them")
    return measurements


def read_contrasts(before: str, after: str) -> tuple[Contrast, ...]:
    """``before`` and ``after`` are FILE or FILE::VARIANT; a variant named once stands for both.

    Raises
    ------
    UsageError
        If a file cannot be read, a variant is not in it, or there is nothing to compare.
    """
    (old_file, old_id), (new_file, new_id) = _split(before), _split(after)
    old_id, new_id = old_id or new_id, new_id or old_id
    old = _by_id(read_session(Path(old_file)))
    new = old if new_file == old_file else _by_id(read_session(Path(new_file)))
    if (old_file, old_id) == (new_file, new_id):
        raise UsageError(f"{before} is given twice: name two files, or two variants of one, as FILE::VARIANT")
    if old_id:
        return (_contrast(_named(old, old_id, old_file), _named(new, new_id, new_file)),)
    common = [name for name in new if name in old]
    if not common:
        raise UsageError(f"{old_file} and {new_file} have no variant in common: name one in each, as FILE::VARIANT")
    return tuple(_contrast(old[name], new[name]) for name in common)


def _split(argument: str) -> tuple[str, str]:
    file, _, variant_id = argument.partition(_SEPARATOR)
    return file, variant_id


def _by_id(measurements: Iterable[Measurement]) -> dict[str, list[Measurement]]:
    found: dict[str, list[Measurement]] = {}
    for measurement in measurements:
        found.setdefault(measurement.variant.id, []).append(measurement)
    return found


def _named(session: dict[str, list[Measurement]], variant_id: str, file: str) -> list[Measurement]:
    if variant_id not in session:
        raise UsageError(f"{file} has no variant {variant_id}; it has {', '.join(sorted(session))}")
    return session[variant_id]


def _contrast(before: list[Measurement], after: list[Measurement]) -> Contrast:
    """A file may hold a variant with several weights or inputs: of the same ones where both have them."""
    same = [(old, new) for old in before for new in after if old.digests == new.digests]
    old, new = same[-1] if same else (before[-1], after[-1])
    return Contrast(before=old, after=new)
