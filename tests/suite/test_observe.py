"""What a worker says of TorchDynamo's graphs is what ran."""

from typing import Any

import pytest


@pytest.mark.parametrize(("fails", "compiled"), [(False, 1), (True, 0)])
def test_a_graph_that_failed_to_compile_is_no_compiled_graph(fails: bool, compiled: int) -> None:
    """With TORCHDYNAMO_SUPPRESS_ERRORS=1 the code then runs as it stands."""
    torch = pytest.importorskip("torch")  # with --stack, the interpreter that runs pytest may do without
    dynamo = pytest.importorskip("torch._dynamo")
    from perfsuite.worker.observe import forget_graphs, graphs

    def backend(graph: Any, inputs: Any) -> Any:
        if fails:
            raise RuntimeError("this backend compiles nothing")
        return graph.forward

    forget_graphs()
    dynamo.reset()
    with dynamo.config.patch(suppress_errors=True):
        assert torch.compile(lambda x: x + 1, backend=backend)(torch.zeros(1)) == 1
    found = graphs()
    assert found is not None
    assert found["compiled"] == compiled


@pytest.mark.parametrize(
    ("latencies_s", "expected"),
    [
        pytest.param([[0.5, 0.3, 0.4]], 0.4, id="one shape"),
        pytest.param([[0.5, 0.3, 0.4], [2.0, 1.0, 1.5]], 1.9, id="all shapes make a pass"),
        pytest.param([[0.3, 0.3, 0.3]], None, id="shorter than is timed otherwise"),
        pytest.param([[5.0, 5.0]], None, id="fewer than are timed otherwise"),
        pytest.param([[0.5, 0.3, 0.4], [5.0]], None, id="fewer of one shape"),
    ],
)
def test_a_pass_is_told_from_outputs_only_where_these_took_as_long_as_timing_it(
    latencies_s: list[list[float]], expected: float | None
) -> None:
    pytest.importorskip("torch")
    from perfsuite.worker.observe import forward_s_of

    found = forward_s_of([round(one * 1e9) for one in shape] for shape in latencies_s)
    assert found == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize(
    ("counted", "expected"),
    [
        pytest.param({"fxgraph_cache_miss": 2}, 0.0, id="nothing was cached"),
        pytest.param({"fxgraph_cache_miss": 1, "fxgraph_cache_hit": 1}, None, id="some was"),
        pytest.param({"fxgraph_cache_bypass": 1}, None, id="the cache was not asked"),
        pytest.param({}, None, id="nothing was compiled"),
    ],
)
def test_compiling_is_cold_where_nothing_was_cached(counted: dict[str, int], expected: float | None) -> None:
    torch = pytest.importorskip("torch")
    dynamo = pytest.importorskip("torch._dynamo")
    from perfsuite.worker.observe import cold_compile_s, forget_graphs

    forget_graphs()
    dynamo.reset()
    assert torch.compile(lambda x: x + 1, backend="eager")(torch.zeros(1)) == 1
    dynamo.utils.counters["inductor"].update(counted)
    found = cold_compile_s()
    forget_graphs()
    assert found is None if expected is None else found is not None and found > expected
