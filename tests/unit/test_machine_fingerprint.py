"""Machine classes: a slug that never moves, and differences that say which field and which flag."""

import re
from dataclasses import replace

import pytest

from perfsuite.machine.cpu import parse_cpuinfo
from perfsuite.machine.fingerprint import differences, machine_class
from perfsuite.records.machine import MachineClass
from perfsuite.records.placement import Choice, Placement, Seat

SERVER = MachineClass(
    cpu_model="Intel(R) Xeon(R) Platinum 9999+ CPU @ 2.10GHz",
    physical_cores=48,
    isa=("amx_bf16", "amx_tile", "avx2", "avx512f"),
    threads=24,
)


def test_slug_of_a_known_machine_never_changes() -> None:
    # Baselines are found by it: whoever changes this line orphans every stored baseline.
    assert SERVER.slug == "intel-xeon-platinum-9999-48c-24t-amx-d9488c"


@pytest.mark.parametrize(
    "other",
    [
        replace(SERVER, threads=25),
        replace(SERVER, physical_cores=47),
        replace(SERVER, isa=SERVER.isa[:-1]),
        replace(SERVER, nodes=(0,)),
        replace(SERVER, nodes=(1,)),
        replace(SERVER, siblings=2),
        replace(SERVER, efficient=2),
        replace(SERVER, instances=2),
        replace(SERVER, cpu_model="Intel(R) Xeon(R) Platinum 9999+ CPU @ 2.20GHz"),  # reads the same
    ],
)
def test_every_field_changes_the_digest(other: MachineClass) -> None:
    assert other.slug[-6:] != SERVER.slug[-6:]


@pytest.mark.parametrize("model", ["", "AMD EPYC 1 64-Core Processor / rev. ../x", "Ünbekannt (R) " + "long " * 40])
def test_slug_is_a_safe_short_file_name(model: str) -> None:
    slug = replace(SERVER, cpu_model=model).slug
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug)
    assert len(slug) < 80


def test_slug_names_the_highest_instruction_set() -> None:
    names = {isa: replace(SERVER, isa=(isa,)).slug.split("-")[-2] for isa in ("avx2", "avx512f", "sse")}
    assert names == {"avx2": "avx2", "avx512f": "avx512", "sse": "x86"}


def test_class_of_a_processor() -> None:
    cpu = parse_cpuinfo("model name : Some CPU\nflags : fma avx2 mmx\n")
    where = Placement(seats=(Seat(cpus=(0,), nodes=(0,)),), choice=Choice.ONLY_NODE)
    assert machine_class(cpu, where) == MachineClass(
        cpu_model="Some CPU", physical_cores=1, isa=("avx2", "fma"), threads=1
    )


def test_equal_classes_do_not_differ() -> None:
    assert differences(SERVER, replace(SERVER)) == ()


def test_differences_name_each_field_with_both_values() -> None:
    other = replace(SERVER, cpu_model="AMD X", physical_cores=2, threads=1)
    assert differences(SERVER, other) == (
        "cpu_model: 'Intel(R) Xeon(R) Platinum 9999+ CPU @ 2.10GHz' against 'AMD X'",
        "physical_cores: 48 against 2",
        "threads: 24 against 1",
    )


def test_isa_differences_name_the_flags_missing_on_each_side() -> None:
    other = replace(SERVER, isa=("avx2", "avx512f", "avx_vnni"))
    assert differences(SERVER, other) == ("isa: the first lacks avx_vnni; the second lacks amx_bf16, amx_tile",)
