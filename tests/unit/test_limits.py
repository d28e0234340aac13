"""Limits by match: the first entry that fits decides; what cannot be meant is refused, and named."""

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest
from builders import ONCE_VARIANT, OTHER_VARIANT, VARIANT

from perfsuite.errors import UsageError
from perfsuite.limits import CostLimits, check_entries
from perfsuite.match import Match, variant_facts
from perfsuite.settings import Settings, read_settings
from perfsuite.spec import Mode, Precision, Variant

MIB = 1 << 20
EAGER = dataclasses.replace(VARIANT, mode=Mode.EAGER)
FP32 = dataclasses.replace(VARIANT, precision=Precision.FP32)


def _read(folder: Path, text: str, **options: Any) -> Settings:
    (folder / "pyproject.toml").write_text(text, encoding="utf-8")
    return read_settings(folder, options)


def _entry(folder: Path, text: str) -> Settings:
    return _read(folder, f"[[tool.perfsuite.match]]\n{text}\n")


@pytest.mark.parametrize(
    ("accepted", "fits"),
    [
        ({}, True),
        ({"model": ("resnet50",)}, True),
        ({"model": ("bert-base", "resnet50"), "mode": ("torchscript",)}, True),
        ({"model": ("resnet50",), "mode": ("eager",)}, False),
        ({"model": ("resnet",)}, False),
        ({"variant": ("resnet50-*-bf16-latency",)}, True),
        ({"variant": ("*-bf16-*",), "workload": ("latency",)}, True),
        ({"variant": ("*-fp32-*",)}, False),
        ({"variant": ("bf16",)}, False),
        ({"variant": ("RESNET50-*",)}, False),
    ],
    ids=str,
)
def test_an_entry_fits_where_every_fact_is_accepted(accepted: dict[str, tuple[str, ...]], fits: bool) -> None:
    assert Match(accepted=accepted).fits(variant_facts(VARIANT)) is fits


def test_without_settings_every_variant_has_the_defaults(tmp_path: Path) -> None:
    settings = read_settings(tmp_path, {})
    assert (settings.false_alarm, settings.missed, settings.sessions, settings.confirm) == (0.01, 0.05, 8, "suspects")
    limits = settings.limits(VARIANT)
    assert (limits.matters, limits.costs, limits.ignore) == (1.02, CostLimits(), "")


@pytest.mark.parametrize("matters", ['"3%"', '"3 %"', "0.03"])
def test_settings_of_all_variants(tmp_path: Path, matters: str) -> None:
    text = f"""
        [tool.perfsuite]
        matters = {matters}
        false_alarm = "0.5%"
        missed = 0.1
        sessions = 5
        confirm = "all"
        [tool.perfsuite.costs]
        peak_memory = "20%"
        memory_growth = "1MiB"
        first_inference = "150%"
        prepare = 0.25
        compile = "30%"
        import = "40%"
        artefact_size = "5%"
        accuracy_drift = "1.5dB"
        stalls = "2%"
    """
    settings = _read(tmp_path, text)
    assert (settings.false_alarm, settings.missed, settings.sessions, settings.confirm) == (0.005, 0.1, 5, "all")
    assert settings.limits(VARIANT).matters == 1.03
    assert settings.limits(VARIANT).costs == CostLimits(
        peak_memory=0.2,
        memory_growth_bytes=MIB,
        first_inference=1.5,
        preparing=0.25,
        compiling=0.3,
        importing=0.4,
        artefact_size=0.05,
        accuracy_drift_db=1.5,
        stalls=0.02,
    )


def test_options_win_over_the_table_but_not_over_entries(tmp_path: Path) -> None:
    text = (
        '[tool.perfsuite]\nmatters = "3%"\nconfirm = "all"\n[[tool.perfsuite.match]]\nmode = "eager"\nmatters = "9%"\n'
    )
    settings = _read(tmp_path, text, matters=0.05, confirm="none", budget_s=90.0)
    assert (settings.confirm, settings.budget_s) == ("none", 90.0)
    assert (settings.limits(VARIANT).matters, settings.limits(EAGER).matters) == (1.05, 1.09)


@pytest.mark.parametrize(
    ("of", "matters", "peak_memory", "importing", "ignore"),
    [
        pytest.param(VARIANT, 1.05, 0.3, 0.5, "", id="first and third"),
        pytest.param(EAGER, 1.05, 0.3, 2.0, "", id="all but the last"),
        pytest.param(FP32, 1.02, 0.1, 0.5, "", id="none"),
        pytest.param(OTHER_VARIANT, 1.1, 0.3, 0.5, "", id="third and fourth"),
        pytest.param(ONCE_VARIANT, 1.05, 0.3, 0.5, "pt#12345", id="ignored"),
    ],
)
def test_the_first_entry_that_fits_decides_each_limit(
    tmp_path: Path, of: Variant, matters: float, peak_memory: float, importing: float, ignore: str
) -> None:
    text = """
        [[tool.perfsuite.match]]
        model = "resnet50"
        precision = ["bf16", "int8-*"]
        matters = "5%"
        [[tool.perfsuite.match]]
        mode = "eager"
        precision = "bf16"
        matters = "7%"
        costs = { import = "200%" }
        [[tool.perfsuite.match]]
        variant = "*-bf16-*"
        matters = "10%"
        costs = { peak_memory = "30%" }
        [[tool.perfsuite.match]]
        backend = "ipex"
        workload = "example"
        costs = { peak_memory = "90%" }
        ignore = "pt#12345"
    """
    limits = _read(tmp_path, text).limits(of)
    assert (limits.matters, limits.costs.peak_memory) == (matters, peak_memory)
    assert (limits.costs.importing, limits.ignore) == (importing, ignore)


@pytest.mark.parametrize(
    "line",
    [
        "matters = 2",
        "matters = 0",
        "matters = -0.1",
        "matters = nan",
        "matters = true",
        'matters = "2"',
        'matters = "100%"',
        'matters = "0%"',
        'matters = "much"',
        "false_alarm = 1",
        'missed = "0%"',
        "sessions = 0",
        "sessions = 2.5",
        'confirm = "some"',
        "confirm = true",
        "costs = 3",
        "match = 3",
        'match = ["x"]',
    ],
)
def test_a_setting_that_cannot_be_meant_is_refused_by_name(tmp_path: Path, line: str) -> None:
    with pytest.raises(UsageError, match=rf"^\S*{line.split()[0]}\]? must be "):
        _read(tmp_path, f"[tool.perfsuite]\n{line}\n")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("peak_memory = 10", "[tool.perfsuite.costs]: peak_memory must be a share above 0"),
        ("peak_memory = true", "[tool.perfsuite.costs]: peak_memory must be a share above 0"),
        ('peak_memory = "64MiB"', "[tool.perfsuite.costs]: peak_memory must be a share above 0"),
        ('memory_growth = "10%"', "[tool.perfsuite.costs]: memory_growth must be an amount of memory above 0"),
        ('memory_growth = "0KiB"', "[tool.perfsuite.costs]: memory_growth must be an amount of memory above 0"),
        ("memory_growth = 65536", "[tool.perfsuite.costs]: memory_growth must be an amount of memory above 0"),
        ("accuracy_drift = 3", "[tool.perfsuite.costs]: accuracy_drift must be above 0, such as 3dB"),
        ('accuracy_drift = "0dB"', "[tool.perfsuite.costs]: accuracy_drift must be above 0, such as 3dB"),
        ('stalls = "150%"', "[tool.perfsuite.costs]: stalls must be a share between 0 and 100%"),
        ('memory = "10%"', "[tool.perfsuite.costs] has unknown costs memory; known are peak_memory, "),
    ],
)
def test_a_limit_of_a_cost_that_cannot_be_meant_is_refused(tmp_path: Path, line: str, words: str) -> None:
    with pytest.raises(UsageError, match=f"^{re.escape(words)}"):
        _read(tmp_path, f"[tool.perfsuite.costs]\n{line}\n")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('backend = "ipex"\nmaters = "5%"', "1 has unknown keys maters; known are backend, "),
        ('matters = "5%"', "1 names no variants: give it one of backend, "),
        ('backend = "ipex"', "1 (backend ipex) sets nothing: give it one of costs, ignore, kernels, matters"),
        ('mode = "turbo"\nmatters = "5%"', "1: mode turbo: there are eager, dynamo, "),
        ('precision = ["bf16", "fp8"]\nmatters = "5%"', "1: precision fp8: there are fp32, "),
        ('workload = "nightly"\nmatters = "5%"', "1: workload nightly: there are smoke, "),
        ('mode = []\nmatters = "5%"', "1: mode must be a name or a list of names, not []"),
        ('mode = ["eager", 3]\nmatters = "5%"', "1: mode must be a name or a list of names, not "),
        ('model = 3\nmatters = "5%"', "1: model must be a name or a list of names, not 3"),
        ('model = ""\nmatters = "5%"', "1: model must be a name or a list of names, not ''"),
        ('backend = "ipex"\nmatters = 5', "1 (backend ipex): matters must be a share between 0 and 100%"),
        ('backend = "ipex"\ncosts = 5', "1 (backend ipex): costs must be a table of limits"),
        ('backend = "ipex"\ncosts = { memory = "5%" }', "1 (backend ipex): costs has unknown costs memory; known are "),
        ('backend = "ipex"\ncosts = { stalls = 5 }', "1 (backend ipex): costs: stalls must be a share "),
        ('backend = "ipex"\nignore = ""', "1 (backend ipex): ignore must be the reason, "),
        ('backend = "ipex"\nignore = " "', "1 (backend ipex): ignore must be the reason, "),
        ('backend = "ipex"\nignore = true', "1 (backend ipex): ignore must be the reason, "),
        (
            'mode = ["eager", "dynamo"]\nmatters = "5%"\n[[tool.perfsuite.match]]\nmode = "dynamo"\nmodel = "x"',
            "2 (mode dynamo, model x) sets nothing: ",
        ),
    ],
)
def test_an_entry_that_cannot_be_meant_is_refused_and_named(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(UsageError, match=f"^{re.escape(f'[[tool.perfsuite.match]] {words}')}"):
        _entry(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('backend = "ipex"', None),
        ('variant = "bert-base-*"', None),
        ('backend = "openvino"', "1 (backend openvino) fits no variant"),
        ('model = "resnet"', "1 (model resnet) fits no variant"),
        ('variant = "resnet50-bf16-*"', "1 (variant resnet50-bf16-*) fits no variant"),
        ('model = "bert-base"\nworkload = "example"', "1 (model bert-base, workload example) fits no variant"),
    ],
)
def test_an_entry_that_fits_no_variant_is_refused_and_named(tmp_path: Path, text: str, words: str | None) -> None:
    entries = _entry(tmp_path, f'{text}\nmatters = "5%"').match
    variants = [VARIANT, OTHER_VARIANT, ONCE_VARIANT]
    if words is None:
        check_entries(entries, variants)
        return
    with pytest.raises(UsageError, match=f"^{re.escape(f'[[tool.perfsuite.match]] {words}')}"):
        check_entries(entries, variants)
