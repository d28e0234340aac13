"""What a machine class measured last, where no baseline knows: how long a run will take goes by it."""

from __future__ import annotations

import contextlib
from collections.abc import Collection

from sqlalchemy.engine import URL

from perfsuite.errors import HistoryError
from perfsuite.history.address import is_there
from perfsuite.history.database import History
from perfsuite.records.measurement import Measurement
from perfsuite.spec import Variant


def last_measured(
    url: URL, variants: Collection[Variant], *, machine_slug: str, stack_slug: str
) -> dict[Variant, Measurement]:
    """The newest of each, under that stack or else the newest other.

    None of them where no history answers: a run goes on without, and its end says so.
    """
    if not variants or not is_there(url):
        return {}
    try:
        with contextlib.closing(History(url)) as history:
            ids = history.last(machine_slug, [one.id for one in variants], stack=stack_slug, most=1)
            sessions = [found for id in reversed(ids) if (found := history.session(id))]
    except HistoryError:
        return {}
    return {one.variant: one for session in sessions for one in session.measurements if one.variant in variants}
