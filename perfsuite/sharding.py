"""`--shard`: of what is selected, what this runner measures; every other runner of the night has other parts."""

from __future__ import annotations

import pytest

from perfsuite.errors import PerfsuiteError
from perfsuite.measure.placement import class_of, place
from perfsuite.measure.shards import duration_s, members
from perfsuite.options import RUN, Run, variant_of


@pytest.hookimpl(trylast=True)  # of what -k and -m have left
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    run = config.stash[RUN]
    if run.shard is None:
        return
    try:
        mine = _mine(run, items)
    except PerfsuiteError as error:
        raise pytest.UsageError(str(error)) from error
    others = [item for item in items if item not in mine]
    if others:
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item in mine]


def _mine(run: Run, items: list[pytest.Item]) -> set[pytest.Item]:
    """The items of this shard; benchmarks of the project's own are the first shard's."""
    assert run.shard is not None
    asked = dict.fromkeys(variant for item in items if (variant := variant_of(item)))
    stored = run.baselines.newest(class_of(place(run.settings)), run.stack, stack_slug=run.baseline_stack)
    timed = {
        variant: duration_s(variant, stored.get(variant), run.settings.replicates)
        for variant in asked
        if variant not in run.unsupported
    }
    chosen = members(run.shard, timed, [variant for variant in asked if variant in run.unsupported])
    return {item for item in items if (variant_of(item) in chosen if variant_of(item) else run.shard.number == 1)}
