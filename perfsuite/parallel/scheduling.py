"""Which process runs which tests; imported where pytest-xdist is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xdist.scheduler import LoadScopeScheduling

from perfsuite.parallel.groups import group, is_long

if TYPE_CHECKING:
    import pytest
    from xdist.remote import Producer
    from xdist.workermanage import WorkerController


class Scheduling(LoadScopeScheduling):  # type: ignore[misc]
    """Whole groups, as processes become free; the long ones first, then in the order of collection."""

    def __init__(self, config: pytest.Config, log: Producer | None = None) -> None:
        config.option.loadscopereorder = False  # by how many tests a group has: a variant's two take a minute
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid)

    def _assign_work_unit(self, node: WorkerController) -> None:
        if name := next(filter(is_long, self.workqueue), None):
            self.workqueue.move_to_end(name, last=False)
        super()._assign_work_unit(node)
