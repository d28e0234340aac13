"""What a journal has lost since it was last looked at, and what one that came to its end lacks."""

from __future__ import annotations

import json
from collections import Counter

from perfsuite.measure.campaign import CheckEntry, Finish, JournalEntry
from perfsuite.selfcheck.project import REPLICATES, VARIANTS

#: How many lines of each kind, of each variant, a whole run writes.
_WHOLE = {JournalEntry.__name__: REPLICATES, CheckEntry.__name__: 1}


def records_lost(before: bytes, now: bytes) -> int:
    """How many lines, the header's too, are no more what they were; lines that were added are none."""
    if now.startswith(before):
        return 0
    lines, others = before.splitlines(), now.splitlines()
    alike = (line == other for line, other in zip(lines, others, strict=False))
    return len(lines) - next((number for number, same in enumerate(alike) if not same), len(others))


def is_finished(journal: bytes) -> bool:
    """Whether the run came to its end."""
    return any(kind == Finish.__name__ for kind, _ in _records(journal))


def lacks(journal: bytes) -> list[str]:
    """What a run that came to its end should have written, and has not, or more often."""
    counts = Counter(_records(journal))
    found = []
    for kind, wanted in _WHOLE.items():
        variants = {name: count for (one, name), count in counts.items() if one == kind}
        found += [
            f"{count} {kind} of {variant}, not {wanted}" for variant, count in variants.items() if count != wanted
        ]
        if len(variants) != VARIANTS:
            found.append(f"{kind} of {len(variants)} variants, not of {VARIANTS}")
    if (ends := counts[Finish.__name__, ""]) != 1:
        found.append(f"{ends} {Finish.__name__}, not 1")
    return found


def _records(journal: bytes) -> list[tuple[str, str]]:
    """The kind and, if it is of one, the variant of each line behind the header."""
    found = []
    for line in journal.splitlines()[1:]:
        ((kind, record),) = json.loads(line).items()
        found.append((kind, "-".join(record.get("variant", {}).values())))
    return found
