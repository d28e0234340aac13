"""Which baseline a measurement is held against, and what is said where there is none."""

import dataclasses
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from builders import DIGESTS, MACHINE, OLD_STACK, OTHER_VARIANT, STACK, VARIANT, baseline, document, measurement
from evidence_builders import evidence, kernel

from perfsuite.backends.registry import slug_of
from perfsuite.records.baseline import Difference, Incomparable, Lack, Missing
from perfsuite.records.evidence import Evidence
from perfsuite.records.machine import MachineClass
from perfsuite.records.measurement import Measurement, Stack
from perfsuite.spec import Variant
from perfsuite.store.baselines import Baselines

OLDEST_STACK = Stack(python="3.11.7", packages={"torch": "2.6.0"})
MINE = measurement(1)
OLD, OLDEST = measurement(2, stack=OLD_STACK), measurement(3, stack=OLDEST_STACK)
OTHER_WORK = dataclasses.replace(DIGESTS, weights_sha256="c" * 64)
OTHER = measurement(6, variant=OTHER_VARIANT)
ELSEWHERE = dataclasses.replace(MACHINE, threads=2)
OBSERVED, SEEN_LATER = evidence([kernel(1)]), evidence([kernel(2)])
#: What is accepted: a measurement, and the day of January 2026.
Accepted = tuple[Measurement, int]


def _other(one: Measurement) -> Measurement:
    return dataclasses.replace(one, digests=OTHER_WORK, replicates=measurement(9).replicates)


def _observed(one: Measurement, seen: Evidence = OBSERVED) -> Measurement:
    return dataclasses.replace(one, evidence=seen)


def _baselines(folder: Path, *accepted: Accepted) -> Baselines:
    for one, day in accepted:
        Baselines(folder, most=8).accept(document(one, begun_at=f"2026-01-{day:02}T00:00:00+00:00"), only_new=False)
    return Baselines(folder, most=8)


@pytest.mark.parametrize(
    ("accepted", "stack_slug", "found", "day"),
    [
        ([(MINE, 1)], None, MINE, 1),
        ([(MINE, 1), (OLD, 2)], None, MINE, 1),
        ([(OLD, 1), (OLDEST, 2)], None, OLDEST, 2),
        ([(OLD, 2), (OLDEST, 1)], None, OLD, 2),
        ([(OTHER, 3), (OLD, 2), (OLDEST, 1)], None, OLD, 2),
        ([(OLD, 2), (OLDEST, 3), (OTHER, 9), (dataclasses.replace(OTHER, stack=OLD_STACK), 9)], None, OLDEST, 3),
        ([(MINE, 1), (_other(MINE), 2)], None, MINE, 1),
        ([(OLD, 1), (_other(OLD), 2)], None, OLD, 1),
        ([(OLD, 1), (_other(OLDEST), 2)], None, OLD, 1),
        ([(MINE, 2), (OLD, 1)], slug_of(OLD_STACK), OLD, 1),
        ([(OLD, 1), (OLDEST, 2)], slug_of(OLD_STACK), OLD, 1),
        ([(MINE, 1), (OLD, 2)], slug_of(STACK), MINE, 1),
        ([(MINE, 1), (dataclasses.replace(OLD, machine=ELSEWHERE), 2)], None, MINE, 1),
    ],
    ids=[
        "own", "own-before-newer", "newest", "newest-whatever-its-version", "newest-that-has-it",
        "newest-of-the-variant-not-of-the-file", "own-of-the-same-work", "newest-of-the-same-work",
        "same-work-before-newer", "the-one-asked-for", "the-one-asked-for-before-newer", "own-asked-for",
        "not-of-another-class",
    ],
)  # fmt: skip
def test_what_a_measurement_is_held_against(
    tmp_path: Path, accepted: list[Accepted], stack_slug: str | None, found: Measurement, day: int
) -> None:
    at = f"2026-01-{day:02}T00:00:00+00:00"
    expected = baseline(found, stack_slug=slug_of(found.stack), accepted_at=at)
    assert _baselines(tmp_path, *accepted).find(measurement(5), stack_slug=stack_slug) == expected


@pytest.mark.parametrize(
    ("accepted", "stack_slug", "missing"),
    [
        ([], None, Missing(kind=Lack.NO_CLASS, machine_slug=MACHINE.slug)),
        ([], slug_of(STACK), Missing(kind=Lack.NO_CLASS, machine_slug=MACHINE.slug)),
        ([(OTHER, 1)], None, Missing(kind=Lack.NO_VARIANT, machine_slug=MACHINE.slug, stacks=(slug_of(STACK),))),
        (
            [(OTHER, 1), (OLD, 2)],
            slug_of(STACK),
            Missing(kind=Lack.NO_VARIANT, machine_slug=MACHINE.slug, stacks=(slug_of(OLD_STACK), slug_of(STACK))),
        ),
        (
            [(MINE, 1), (OLD, 2)],
            "torch-1.0",
            Missing(kind=Lack.NO_STACK, machine_slug=MACHINE.slug, stacks=(slug_of(OLD_STACK), slug_of(STACK))),
        ),
        (
            [(dataclasses.replace(MINE, machine=ELSEWHERE), 1)],
            None,
            Missing(
                kind=Lack.NO_CLASS,
                machine_slug=MACHINE.slug,
                nearest=ELSEWHERE.slug,
                nearest_differences=(Difference(name="threads", before="2", now="4"),),
            ),
        ),
        (
            [(dataclasses.replace(OTHER, machine=ELSEWHERE), 1)],
            None,
            Missing(kind=Lack.NO_CLASS, machine_slug=MACHINE.slug),
        ),
    ],
    ids=["nothing", "nothing-asked-for", "variant", "variant-of-the-stack", "stack", "class", "class-and-variant"],
)
def test_what_is_missing_is_told_by_its_kind(
    tmp_path: Path, accepted: list[Accepted], stack_slug: str | None, missing: Missing
) -> None:
    assert _baselines(tmp_path, *accepted).find(measurement(5), stack_slug=stack_slug) == missing


WEIGHTS = Difference(name="weights_sha256", before="c" * 64, now="a" * 64)
INPUTS = Difference(name="inputs_sha256", before="d" * 64, now="b" * 64)
ORIGIN = Difference(name="weights_origin", before="pretrained", now="seeded")


@pytest.mark.parametrize(
    ("stored", "fields"),
    [
        (measurement(1, digests=OTHER_WORK), (WEIGHTS,)),
        (measurement(1, digests=dataclasses.replace(DIGESTS, inputs_sha256="d" * 64)), (INPUTS,)),
        (measurement(1, digests=OTHER_WORK, weights_origin="pretrained"), (WEIGHTS, ORIGIN)),
        (measurement(1, digests=dataclasses.replace(OTHER_WORK, inputs_sha256="d" * 64)), (WEIGHTS, INPUTS)),
        (measurement(1, digests=OTHER_WORK, stack=OLD_STACK), (WEIGHTS,)),
    ],
    ids=["weights", "inputs", "origin", "both", "of-another-stack"],
)
def test_other_weights_or_inputs_are_incomparable(
    tmp_path: Path, stored: Measurement, fields: tuple[Difference, ...]
) -> None:
    assert _baselines(tmp_path, (stored, 1)).find(measurement(5)) == Incomparable(fields=fields)


def test_its_own_stack_decides_even_where_another_has_the_same_work(tmp_path: Path) -> None:
    found = _baselines(tmp_path, (_other(MINE), 1), (OLD, 2)).find(measurement(5))
    assert found == Incomparable(fields=(WEIGHTS,))


def _class(
    cpu_model: str = "Some Xeon", isa: str = "amx_tile avx2", physical_cores: int = 8, threads: int = 4
) -> MachineClass:
    return MachineClass(cpu_model=cpu_model, physical_cores=physical_cores, isa=tuple(isa.split()), threads=threads)


@pytest.mark.parametrize(
    ("near", "far"),
    [
        (_class(isa="avx2"), _class(cpu_model="EPYC")),
        (_class(cpu_model="EPYC"), _class(cpu_model="Core", isa="avx2 avx512f", physical_cores=8)),
        (_class(isa="amx_tile avx2 f16c", physical_cores=2), _class(isa="avx2", threads=3)),
        (_class(physical_cores=6, threads=1), _class(physical_cores=16)),
        (_class(threads=3), _class(threads=8)),
    ],
    ids=["cpu-before-isa", "isa", "isa-before-cores", "cores-before-threads", "threads"],
)
@pytest.mark.parametrize("order", [1, -1])
def test_the_nearest_machine_class_is_named(tmp_path: Path, near: MachineClass, far: MachineClass, order: int) -> None:
    stored = [(dataclasses.replace(MINE, machine=machine), 1) for machine in (near, far)][::order]
    found = _baselines(tmp_path, *stored).find(measurement(5))
    assert isinstance(found, Missing)
    assert found.nearest == near.slug


def test_a_class_that_lacks_the_variant_is_not_the_nearest(tmp_path: Path) -> None:
    near, far = _class(threads=3), _class(cpu_model="EPYC", isa="avx2 avx512f", physical_cores=2, threads=2)
    stored = ((dataclasses.replace(OTHER, machine=near), 1), (dataclasses.replace(MINE, machine=far), 1))
    found = _baselines(tmp_path, *stored).find(measurement(5))
    assert isinstance(found, Missing)
    assert found.nearest == far.slug
    assert found.nearest_differences == (
        Difference(name="cpu_model", before="EPYC", now="Some Xeon"),
        Difference(name="physical_cores", before="2", now="8"),
        Difference(name="threads", before="2", now="4"),
        Difference(name="isa", before="avx512f", now="amx_tile"),
    )


@pytest.mark.parametrize(
    ("accepted", "stack_slug", "found"),
    [
        ([(_observed(MINE), 1)], None, OBSERVED),
        ([(MINE, 1)], None, None),
        ([(_observed(OTHER), 1)], None, None),
        ([(dataclasses.replace(_observed(MINE), machine=ELSEWHERE), 1)], None, None),
        ([(_observed(OLD), 1)], None, OBSERVED),
        ([(_observed(OLD), 1), (_observed(OLDEST, SEEN_LATER), 2)], None, SEEN_LATER),
        ([(_observed(MINE), 1), (_observed(OLD, SEEN_LATER), 2)], None, OBSERVED),
        ([(MINE, 1), (_observed(OLD), 2)], None, None),
        ([(_observed(MINE), 1), (_other(MINE), 2)], None, OBSERVED),
        ([(_other(MINE), 1), (_observed(MINE), 2)], None, OBSERVED),
        ([(_observed(MINE), 1), (_observed(_other(MINE), SEEN_LATER), 2)], None, SEEN_LATER),
        ([(_observed(MINE), 2), (_observed(OLD, SEEN_LATER), 1)], slug_of(OLD_STACK), SEEN_LATER),
        ([(_observed(MINE), 1)], slug_of(OLD_STACK), None),
    ],
    ids=[
        "own", "without", "other-variant", "other-class", "another-stack", "newest-stack", "own-before-newer",
        "own-without", "older-weights", "newer-weights", "newest-weights", "the-one-asked-for", "not-the-one-asked-for",
    ],
)  # fmt: skip
def test_the_evidence_is_that_of_the_baseline(
    tmp_path: Path, accepted: list[Accepted], stack_slug: str | None, found: Evidence | None
) -> None:
    assert _baselines(tmp_path, *accepted).evidence(VARIANT, MACHINE, STACK, stack_slug=stack_slug) == found


@pytest.mark.parametrize(
    ("accepted", "stack_slug", "variants"),
    [
        ([], None, set()),
        ([(MINE, 1), (OTHER, 2)], None, {VARIANT, OTHER_VARIANT}),
        ([(MINE, 1), (dataclasses.replace(OTHER, stack=OLD_STACK), 2)], None, {VARIANT}),
        ([(OLD, 1), (dataclasses.replace(OTHER, stack=OLDEST_STACK), 2)], None, {OTHER_VARIANT}),
        ([(MINE, 1), (dataclasses.replace(OTHER, stack=OLD_STACK), 2)], slug_of(OLD_STACK), {OTHER_VARIANT}),
        ([(MINE, 1)], slug_of(OLD_STACK), set()),
        ([(dataclasses.replace(MINE, machine=ELSEWHERE), 1)], None, set()),
    ],
    ids=["nothing", "own", "own-before-newer", "newest", "the-one-asked-for", "not-the-one-asked-for", "other-class"],
)
def test_the_variants_of_the_baseline(
    tmp_path: Path, accepted: list[Accepted], stack_slug: str | None, variants: set[Variant]
) -> None:
    assert _baselines(tmp_path, *accepted).newest(MACHINE, STACK, stack_slug=stack_slug).keys() == variants


def test_stacks_are_listed_newest_first(tmp_path: Path) -> None:
    baselines = _baselines(tmp_path, (OLD, 2), (MINE, 1), (OLDEST, 3))
    assert baselines.stacks(MACHINE) == (slug_of(OLDEST_STACK), slug_of(OLD_STACK), slug_of(STACK))
    assert baselines.stacks(ELSEWHERE) == ()


@pytest.fixture
def five_hours_west() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "EST5")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("2026-01-02T00:00:00+00:00", "2026-01-02T00:00:01+00:00"),
        ("2026-01-02T10:00:00+02:00", "2026-01-02T09:00:00+00:00"),
        ("2026-01-02T10:00:00", "2026-01-02T10:00:01+00:00"),
        ("0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59+00:00"),
    ],
    ids=["second", "zone", "without-zone", "far"],
)
@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.usefixtures("five_hours_west")  # what has no zone is UTC, wherever it is read
def test_newest_is_by_time_not_by_text(tmp_path: Path, earlier: str, later: str, order: int) -> None:
    for one, at in ((OLD, earlier), (OLDEST, later))[::order]:
        Baselines(tmp_path, most=8).accept(document(one, begun_at=at), only_new=False)
    assert Baselines(tmp_path, most=8).stacks(MACHINE) == (slug_of(OLDEST_STACK), slug_of(OLD_STACK))


def test_without_a_folder_there_is_nothing(tmp_path: Path) -> None:
    baselines = Baselines(tmp_path / "none", most=8)
    baselines.check()
    assert baselines.newest(MACHINE, STACK) == {}
    assert not baselines.folder.exists()
