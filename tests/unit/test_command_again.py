"""The command that a summary gives to measure again what is red: the run's options and variables, and no others."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from builders import VARIANT

from perfsuite.measure.environment import decisive
from perfsuite.options import command_again

_AFTER = f"pytest --benchmark-only -k {VARIANT.id} --workload {VARIANT.workload}"


@pytest.mark.parametrize(
    ("environ", "of_workers", "options", "expected"),
    [
        pytest.param({}, {"OMP_NUM_THREADS": "2"}, {}, _AFTER, id="nothing"),
        pytest.param({"OMP_NUM_THREADS": "4"}, {"OMP_NUM_THREADS": "2"}, {}, _AFTER, id="what perfsuite decides"),
        pytest.param({"KMP_BLOCKTIME": "1"}, {}, {}, f"KMP_BLOCKTIME=1 {_AFTER}", id="a variable"),
        pytest.param({"MALLOC_CONF": "a b"}, {}, {}, f"MALLOC_CONF='a b' {_AFTER}", id="a variable in quotes"),
        pytest.param({"LD_PRELOAD": "/opt/x.so"}, {}, {}, f"LD_PRELOAD=/opt/x.so {_AFTER}", id="a path"),
        pytest.param(
            {"LD_PRELOAD": "/opt/x.so"},
            {"LD_PRELOAD": "libjemalloc.so.2:/opt/x.so"},
            {"preload": ["jemalloc"]},
            f"LD_PRELOAD=/opt/x.so {_AFTER} --preload=jemalloc",
            id="a path behind the setting's",
        ),
        pytest.param({}, {}, {"preload": ["a", "b"]}, f"{_AFTER} --preload=a,b", id="a list"),
        pytest.param({}, {}, {"preload": []}, f"{_AFTER} --preload=", id="a list of nothing"),
        pytest.param({}, {}, {"launch_mode": "latency"}, f"{_AFTER} --latency-mode", id="a mode"),
        pytest.param({}, {}, {"numa_node": 1}, f"{_AFTER} --numa-node=1", id="a number"),
    ],
)
def test_it_has_what_the_run_had(
    environ: dict[str, str],
    of_workers: dict[str, str],
    options: dict[str, object],
    expected: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("os.environ", environ)
    config = SimpleNamespace(getoption=lambda name: options.get(name))
    run = SimpleNamespace(rig=SimpleNamespace(environment=decisive({**environ, **of_workers})))
    assert command_again(cast(Any, config), cast(Any, run), [VARIANT]) == expected
