"""How long does a history of many sessions take to answer?"""

from __future__ import annotations

import json
import math
import random
import statistics
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from perfsuite.errors import UsageError
from perfsuite.history.address import history_url, parse_address
from perfsuite.history.changes import trend_of
from perfsuite.history.database import History
from perfsuite.history.lineages import lineages
from perfsuite.history.rows import Rows
from perfsuite.records.history import Metric

#: Nights of 27 years on one machine, or of a year on 27.
SESSIONS, VARIANTS = 10_000, 24
#: What each may take, in seconds: a person waits for the first two, a night's end for the third.
_SERIES_S, _OVERVIEW_S, _APPEND_S = 2.0, 1.0, 0.05
_READINGS = 5
#: Documents are as good as not compressible, and a tenth of a night's in size: 10,000 of those would be 1.7 GB.
_DOCUMENT_BYTES = 17_000


def run(*, sessions: int = SESSIONS, database: str | None = None) -> int:
    """Print what reading and appending take of a tenth of them and of all; 1 if all take longer than they may.

    In an empty ``database``, which keeps them, or in a file that goes afterwards. UsageError for one that is not empty.
    """
    fine = True
    with (
        tempfile.TemporaryDirectory(prefix="perfsuite-history-") as folder,
        closing(_empty(database, folder)) as history,
    ):
        made = _made(random.Random(0))
        print(f"{'sessions':>10} {'series':>10} {'overview':>10} {'append':>10}  (s; {VARIANTS} variants each)")
        for count in (sessions // 10, sessions - sessions // 10):
            began = time.perf_counter()
            for _ in range(count):
                history.keep(next(made))
            filled_s = time.perf_counter() - began
            series_s = _median(
                lambda: [
                    trend_of(one) for whole in history.series("variant-7", Metric.LATENCY) for one in lineages(whole)
                ]
            )
            overview_s = _median(history.sessions)
            append_s = _median(lambda: history.keep(next(made)))
            total = len(history.sessions())
            print(f"{total:>10,} {series_s:>10.3f} {overview_s:>10.3f} {append_s:>10.4f}  filled in {filled_s:.0f} s")
            fine = series_s <= _SERIES_S and overview_s <= _OVERVIEW_S and append_s <= _APPEND_S
        print(f"{'asked':>10} {_SERIES_S:>10.3f} {_OVERVIEW_S:>10.3f} {_APPEND_S:>10.4f}")
    return 0 if fine else 1


def _empty(database: str | None, folder: str) -> History:
    url = parse_address(database, "--database", Path.cwd()) if database else history_url(Path(folder), None, {})
    history = History(url)
    if held := len(history.sessions()):
        history.close()
        raise UsageError(f"--database: {history.address} holds {held} sessions; name an empty one, for it is filled")
    return history


def _median(do: Callable[[], object]) -> float:
    taken_s = []
    for _ in range(_READINGS):
        began = time.perf_counter()
        do()
        taken_s.append(time.perf_counter() - began)
    return statistics.median(taken_s)


def _made(chance: random.Random) -> Iterator[Rows]:
    """One a night, with noise of 1.5 % and a step of 5 % every thousandth."""
    begun = datetime(2000, 1, 1, 2, tzinfo=UTC)
    number = 0
    while True:
        name = f"{begun + timedelta(days=number):%Y%m%dT%H%M%S.%fZ}"
        level = 1.05 ** (number // 1000 % 2)
        session = {
            "id": name, "begun": name, "machine": "a-machine", "stack": "a-stack", "revision": "", "entries": VARIANTS,
            "circumstances": json.dumps({"software": {"torch": str(number // 1000)}, "machine": {"kernel": "6.1"}}),
        }  # fmt: skip
        entries = tuple(
            {
                "session": name, "variant": f"variant-{variant}", "verdict": "unchanged",
                "latency_s": 0.1 * level * math.exp(chance.gauss(0.0, 0.015)),
                "peak_bytes": 1e9, "sqnr_db": 40.0, "compile_s": None,
            }
            for variant in range(VARIANTS)
        )  # fmt: skip
        yield Rows(session=session, entries=entries, document=zlib.compress(chance.randbytes(_DOCUMENT_BYTES)))
        number += 1
