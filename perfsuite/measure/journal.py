"""Records on disk the moment they are there, so that whatever ends a session costs the current one alone."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, Generic, Self, TypeVar

import msgspec

from perfsuite.errors import UsageError

H = TypeVar("H")
R = TypeVar("R")


class Journal(Generic[H]):
    """A line each, behind the header: what all records have in common. Only an equal header may be resumed.

    A subclass names the type of its header and those of its records.
    """

    header_type: ClassVar[type]
    kinds: ClassVar[tuple[type, ...]]

    def __init__(self, path: Path, header: H, records: Iterable[Any] = ()) -> None:
        self.path = path
        self.header = header
        self._records = list(records)

    @classmethod
    def create(cls, folder: Path, header: H) -> Self:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}.jsonl"
        path.write_bytes(msgspec.json.encode(header) + b"\n")
        return cls(path, header)

    @classmethod
    def resume(cls, folder: Path, header: H, *, incidental: Collection[str] = ()) -> Self:
        """Go on with the newest journal; a line cut off by a crash is left out, a cut header is written anew.

        In the ``incidental`` fields its header, which it keeps, may differ. UsageError if there is no journal, or
        none to trust, or if it was measured otherwise.
        """
        newest = max(folder.glob("*.jsonl"), default=None)
        if newest is None:
            raise UsageError(f"--resume: there is no journal in {folder}; run without it")
        first, *rest = newest.read_bytes().splitlines(keepends=True) or [b""]
        if not first.endswith(b"\n"):  # killed before anything could be measured
            newest.unlink()
            return cls.create(folder, header)
        whole = [line for line in rest if line.endswith(b"\n")]
        try:
            found: Any = msgspec.json.decode(first, type=cls.header_type)
            records = [cls._decode(line) for line in whole]
        except (TypeError, ValueError, OverflowError, RecursionError) as error:  # msgspec's are ValueErrors
            reason = f"{type(error).__name__}: {error}"
            raise UsageError(f"--resume: {newest} cannot be read ({reason}); run without it") from error
        if differing := [name for name in _differences(found, header) if name not in incidental]:
            raise UsageError(f"--resume: {newest} was measured with another {', '.join(differing)}; run without it")
        os.truncate(newest, sum(map(len, (first, *whole))))
        return cls(newest, found, records)

    @classmethod
    def _decode(cls, line: bytes) -> Any:
        fields = msgspec.convert(json.loads(line), dict[str, Any])
        for kind in cls.kinds:
            if kind.__name__ in fields:
                return msgspec.convert(fields[kind.__name__], kind)
        raise ValueError(f"a record of an unknown kind: {', '.join(fields)}")

    def append(self, record: Any) -> None:
        with self.path.open("ab") as file:
            # The standard library's JSON: outputs that are equal lie an infinity of decibels apart.
            file.write(json.dumps({type(record).__name__: msgspec.to_builtins(record)}).encode() + b"\n")
        self._records.append(record)

    def of(self, kind: type[R]) -> list[R]:
        """The records of one kind, in their order."""
        return [record for record in self._records if isinstance(record, kind)]


def _differences(found: Any, wanted: Any) -> list[str]:
    names = [field.name for field in dataclasses.fields(wanted)]
    return [name for name in names if getattr(found, name) != getattr(wanted, name)]
