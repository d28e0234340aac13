"""Replicates of several instances: what ratios are made of, and what is told of them."""

import dataclasses
import html
import math

import pytest
from builders import MACHINE, measurement
from compare_builders import PAIRING, block, pair, report, row, side, stack_side

from perfsuite.records.measurement import Block, Load, Replicate
from perfsuite.records.pair import Pair
from perfsuite.records.placement import Choice, Placement, Seat
from perfsuite.records.throughput import throughput
from perfsuite.report.compare import markdown
from perfsuite.report.throughput import throughput_lines

MS = 1_000_000


def _block(window_ms: float, *passes: float, items: int = 1) -> Block:
    """Instances that made so many passes each, all as long as its own."""
    load = Load(window_ns=round(window_ms * MS), passes=passes, items=items)
    latencies_ns = [round(window_ms * MS / some) for some in passes for _ in range(round(some))]
    return dataclasses.replace(block(*latencies_ns), load=load)


def _loaded(*blocks: Block) -> Replicate:
    return side(1, blocks=blocks)


ONE_OF_TWO = _loaded(*[_block(100, 5.0)] * 4)  # 20 ms a pass
TWO_OF_ONE = _loaded(*[_block(96, 3.0, 3.0)] * 4)  # 32 ms a pass, so 16 ms for each


def test_the_time_for_each_pass_is_what_all_instances_share() -> None:
    found = Pair(pairing=PAIRING, baseline=ONE_OF_TWO, candidate=TWO_OF_ONE)
    assert (ONE_OF_TWO.instances, TWO_OF_ONE.instances) == (1, 2)
    assert math.exp(found.log_ratio) == pytest.approx(16 / 20)
    assert math.exp(found.slow_quarter_log_ratio) == pytest.approx(16 / 20)  # not the 32 ms of its latencies
    assert TWO_OF_ONE.items_per_s == pytest.approx(1 / 0.016)
    assert TWO_OF_ONE.latencies_ns == (32 * MS,) * 24


def test_a_single_worker_is_what_it_was() -> None:
    alone = side(10, 20, 30, 40)
    assert alone.pass_times_ns == alone.shares_ns == alone.latencies_ns == (10, 20, 30, 40)
    assert (alone.instances, alone.items_per_s) == (1, None)
    assert throughput([alone]) is None


def test_the_faster_half_is_of_blocks_and_the_slowest_quarter_of_passes() -> None:
    disturbed = _loaded(_block(96, 3.0, 3.0), _block(96, 3.0, 3.0), _block(960, 3.0, 3.0), _block(960, 3.0, 3.0))
    assert disturbed.latency_s == pytest.approx(0.016)
    assert disturbed.slow_latency_s == pytest.approx(0.160)


def test_a_slow_instance_is_in_the_figure_and_named() -> None:
    slow = _loaded(*[_block(100, 10.0, 2.5, items=2)] * 4)
    assert slow.latency_s == pytest.approx(0.1 / 12.5)
    found = throughput([slow, slow])
    assert found is not None
    assert found.items_per_s == pytest.approx(2 * 12.5 / 0.1)
    assert found.shares == pytest.approx((1.6, 0.4))
    assert found.p50_s == pytest.approx(0.01)
    assert found.p99_s == pytest.approx(0.04)
    assert found.passes == 2 * 4 * 12
    machine = dataclasses.replace(MACHINE, instances=2)
    lines = list(throughput_lines([measurement(machine=machine, replicates=(slow,)), measurement(1)]))
    assert len(lines) == 2
    assert "250 items/s by 2 instances; a pass under that load takes 10 ms (p50)" in lines[0]
    assert "instance 2 of 2 is slow: 40% of" in lines[1]
    (no_slow_one,) = throughput_lines([measurement(machine=machine, replicates=(TWO_OF_ONE,))])
    assert "is slow" not in no_slow_one


@pytest.mark.parametrize(
    ("window_ns", "passes", "items"),
    [(0, (1.0,), 1), (1, (), 1), (1, (0.0, 1.0), 1), (1, (math.nan,), 1), (1, (math.inf,), 1), (1, (1.0,), 0)],
)
def test_a_load_that_cannot_be(window_ns: int, passes: tuple[float, ...], items: int) -> None:
    with pytest.raises(ValueError, match="a load without passes"):
        Load(window_ns=window_ns, passes=passes, items=items)


def test_a_comparison_of_placements_tells_both_and_what_they_get_done() -> None:
    two = Placement(seats=(Seat(cpus=(0,), nodes=(0,)), Seat(cpus=(1,), nodes=(0,))), choice=Choice.ONLY_NODE)
    found = row(pairs=(Pair(pairing=PAIRING, baseline=ONE_OF_TWO, candidate=TWO_OF_ONE),))
    text = " ".join(html.unescape(markdown(report(found, candidate=stack_side("current 2x1t", placement=two)))).split())
    assert "A: 4 threads on CPUs 0-3" in text
    assert "B: 2 instances of 1 thread on CPUs 0 | 1" in text
    assert "| torchscript bf16 | 50 | 62.5 | 20 | 32 | 20 | 32 | 20 | 32 |" in text
    assert "items/s" not in markdown(report(row(pairs=(pair(1.0),))))
