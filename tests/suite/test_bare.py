"""The bare loop passes over the same batches as a worker's block."""

from __future__ import annotations

import pytest
import torch

from perfsuite.worker.bare import timed


@pytest.mark.parametrize("lengths", [(16,), (16, 37, 128)])
def test_each_latency_is_of_a_pass_over_every_shape(lengths: tuple[int, ...]) -> None:
    seen: list[int] = []

    def forward(batch: torch.Tensor) -> torch.Tensor:
        seen.append(len(batch))
        return batch + 1

    latencies_s = timed(forward, [(torch.zeros(length),) for length in lengths], 0.01)
    assert latencies_s
    assert seen == list(lengths) * len(latencies_s)
