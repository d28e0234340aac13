"""Settings: options over the table over defaults; whatever cannot be right is refused by name."""

from pathlib import Path
from typing import Any

import pytest

from perfsuite.errors import PerfsuiteError, UsageError
from perfsuite.models import load_models
from perfsuite.options import _workloads
from perfsuite.settings import Settings, read_settings


def _pyproject(folder: Path, table: str) -> None:
    (folder / "pyproject.toml").write_text(f"[tool.perfsuite]\n{table}\n", encoding="utf-8")


def test_without_a_file_everything_is_default(tmp_path: Path) -> None:
    assert read_settings(tmp_path, {}) == Settings(baselines=tmp_path / "baselines")


def test_a_file_without_our_table_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    assert read_settings(tmp_path, {}) == Settings(baselines=tmp_path / "baselines")


def test_options_win_over_the_table_and_the_table_over_defaults(tmp_path: Path) -> None:
    _pyproject(tmp_path, 'replicates = 5\nthreads = 3\nbaselines = "kept"')
    settings = read_settings(tmp_path, {"replicates": 7, "threads": None, "weights": None})
    assert (settings.replicates, settings.threads, settings.weights) == (7, 3, "auto")
    assert settings.baselines == tmp_path / "kept"


@pytest.mark.parametrize(
    ("table", "options", "found"),
    [
        ("cores = '0-2,8'", {}, {"cores": (0, 1, 2, 8)}),
        ("cores = 5", {}, {"cores": (5,)}),
        ("cores = '0-2'", {"numa_node": 1}, {"numa_node": 1}),
        ("numa_node = 1", {"cores": "3"}, {"cores": (3,)}),
        ("preload = ['jemalloc']", {}, {"preload": ("jemalloc",)}),
        ("preload = 'jemalloc, iomp5'", {}, {"preload": ("jemalloc", "iomp5")}),
        ("preload = ['jemalloc']", {"preload": ["/opt/libmine.so"]}, {"preload": ("/opt/libmine.so",)}),
        ("preload = ['jemalloc']", {"preload": []}, {}),
        ("preload = ['jemalloc']", {"preload": None}, {"preload": ("jemalloc",)}),
        ("launch_mode = 'latency'", {"threads": 2}, {"threads": 2}),
        ("instances = 2\nthreads = 2", {"launch_mode": "throughput"}, {"launch_mode": "throughput"}),
        ("instances = 2", {"threads": 3}, {"instances": 2, "threads": 3}),
    ],
)
def test_what_is_said_of_the_placement_takes_the_place_of_what_it_excludes(
    table: str, options: dict[str, Any], found: dict[str, Any], tmp_path: Path
) -> None:
    _pyproject(tmp_path, table)
    assert read_settings(tmp_path, options) == Settings(**found, baselines=tmp_path / "baselines")


def test_every_setting_can_be_given_in_the_table(tmp_path: Path) -> None:
    given: dict[str, Any] = {
        "numa_node": 1,
        "instances": 2,
        "threads": 3,
        "weights": "seeded",
        "replicates": 4,
        "measure_s": 1,
        "warm_up_limit_s": 2.5,
        "step_timeout_s": 60,
        "regression_ratio": 2,
        "require_isa": "amx",
    }
    lines = "\n".join(f"{name} = {value!r}" for name, value in given.items())
    _pyproject(tmp_path, f'{lines}\nbaselines = "/kept"\nmodels = {{ mine = "a.b:C" }}')
    assert read_settings(tmp_path, {}) == Settings(**given, baselines=Path("/kept"), models={"mine": "a.b:C"})


@pytest.mark.parametrize(
    "line",
    [
        "threads = 0",
        "instances = 0",
        "numa_node = -1",
        "numa_node = 1\ncores = '0-3'",
        "cores = ''",
        "cores = '0-'",
        "cores = '3-1'",
        "cores = '0-3, 5'",
        "cores = true",
        "preload = 3",
        "preload = [3]",
        "preload = ['lib/mine.so']",
        "preload = ['/opt/a.so:/opt/b.so']",
        "preload = ['/my folder/a.so']",
        "launch_mode = 'fast'",
        "launch_mode = 'latency'\nthreads = 2",
        "launch_mode = 'throughput'\ninstances = 2",
        "threads = -1",
        "threads = 2.0",
        "threads = true",
        'threads = "2"',
        "replicates = 0",
        "replicates = 1.5",
        "measure_s = 0",
        "measure_s = -1.0",
        "measure_s = nan",
        "measure_s = inf",
        'measure_s = "long"',
        "warm_up_limit_s = 0.0",
        "warm_up_limit_s = false",
        "step_timeout_s = -3",
        "step_timeout_s = nan",
        'weights = "random"',
        "weights = 1",
        "regression_ratio = 1",
        "regression_ratio = 0.8",
        "regression_ratio = nan",
        "regression_ratio = inf",
        'regression_ratio = "1.25"',
        'require_isa = "avx512"',
        'require_isa = ""',
        "require_isa = true",
        "baselines = 3",
        'models = "a.b:C"',
    ],
)
def test_bad_value_is_refused_by_name(tmp_path: Path, line: str) -> None:
    _pyproject(tmp_path, line)
    with pytest.raises(UsageError, match=f"^{line.split()[0]} must be "):
        read_settings(tmp_path, {})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("threads", 0),
        ("measure_s", float("nan")),
        ("regression_ratio", 1.0),
        ("weights", "random"),
        ("require_isa", "AMX"),
    ],
)
def test_bad_option_is_refused_by_name(tmp_path: Path, name: str, value: object) -> None:
    with pytest.raises(UsageError, match=f"^{name} must be "):
        read_settings(tmp_path, {name: value})


def test_no_instruction_set_is_required_unless_it_is_asked_for(tmp_path: Path) -> None:
    assert read_settings(tmp_path, {"require_isa": None}).require_isa is None
    assert read_settings(tmp_path, {"require_isa": "amx"}).require_isa == "amx"


def test_unknown_keys_are_all_named_beside_the_known(tmp_path: Path) -> None:
    _pyproject(tmp_path, "treads = 2\nreplicate = 3\nthreads = 2")
    with pytest.raises(UsageError, match=r"unknown settings replicate, treads; known are .*\bthreads\b"):
        read_settings(tmp_path, {})


@pytest.mark.parametrize(
    "content",
    [b"[tool.perfsuite\n", b"threads = = 2\n", b"\xff\xfe", b"tool = 3\n", b"[tool]\nperfsuite = 3\n"],
    ids=["cut", "no-value", "not-utf8", "tool-is-no-table", "perfsuite-is-no-table"],
)
def test_broken_file_is_named(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_bytes(content)
    with pytest.raises(UsageError, match=r"pyproject\.toml"):
        read_settings(tmp_path, {})


@pytest.mark.parametrize(
    "target",
    [
        "no_such_module:MODEL",
        "perfsuite.models:NO_SUCH",
        "perfsuite.models",
        ":MODEL",
        "perfsuite.models:MODELS",
        "builders:VARIANT",
        3,
    ],
)
def test_a_model_that_is_none_is_refused_by_name(tmp_path: Path, target: object) -> None:
    toml = f'"{target}"' if isinstance(target, str) else str(target)
    _pyproject(tmp_path, f"models = {{ mine = {toml} }}")
    with pytest.raises(UsageError, match="mine"):
        load_models(read_settings(tmp_path, {}).models)


@pytest.mark.parametrize(
    ("chosen", "marks", "workloads"),
    [
        (None, "", None),
        (None, "bf16 and not dynamo", None),
        (None, "latency and bf16", ("latency",)),
        (None, "(throughput or smoke) and bf16", ("smoke", "throughput")),
        (None, "latency-of-mine or my_smoke or examples", None),
        (None, "example", ("example",)),
        (None, "smoke or latency", ("smoke", "latency")),
        (None, "not example", None),
        (None, "not (smoke or example)", None),
        (None, "not not smoke", ("smoke",)),
        (None, "not (bf16 or not smoke)", ("smoke",)),
        (None, "bf16 and not example", None),
        (None, "latency and not example", ("latency",)),
        (None, "smoke and", None),
        (None, "smoke or mine(key=1)", None),
        ("throughput,smoke", "latency", ("throughput", "smoke")),
        ("all", "", ("smoke", "latency", "mixed", "throughput", "example")),
    ],
)
def test_workloads_by_option_or_else_by_mark(chosen: str | None, marks: str, workloads: tuple[str, ...] | None) -> None:
    assert _workloads(chosen, marks) == workloads


@pytest.mark.parametrize(
    ("chosen", "named"), [("smoke,nightly,weekend", "nightly, weekend"), ("", ""), ("all,x", "all, x")]
)
def test_unknown_workloads_are_named_beside_the_known(chosen: str, named: str) -> None:
    with pytest.raises(PerfsuiteError, match=f"^--workload: no workload {named}; there are smoke, latency, .*, all$"):
        _workloads(chosen, "")
