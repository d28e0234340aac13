"""A file that is not as it was written either reads as valid or is a BaselineError: never another exception."""

import contextlib
import copy
import dataclasses
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from builders import DIGESTS, MACHINE, OTHER_VARIANT, STACK, VARIANT, document, measurement, session
from evidence_builders import evidence, graphs, kernel, operator
from hypothesis import given, settings
from hypothesis import strategies as st

from perfsuite.backends.registry import slug_of
from perfsuite.errors import BaselineError, UsageError
from perfsuite.gates.expectations import Expectation, expectation
from perfsuite.judge.session import judge_results
from perfsuite.models.base import Reads
from perfsuite.records.accuracy import Sketch
from perfsuite.records.baseline import Baseline
from perfsuite.settings import Settings
from perfsuite.spec import Variant
from perfsuite.store.baselines import Baselines
from perfsuite.store.sessions import read_stored

REFERENCE = Sketch(shape=(4, 2, 100), buckets=bytes(1024))
FIRST = measurement(100, 110, evidence=evidence([kernel()], [operator()], graphs=graphs("print")), reference=REFERENCE)
SECOND = measurement(200, 210)
OTHER_WORK = measurement(1, digests=dataclasses.replace(DIGESTS, weights_sha256="c" * 64))
OTHER = measurement(300, variant=OTHER_VARIANT)
LATER = "2026-02-03T00:00:00+00:00"


def _valid(tmp_path: Path) -> bytes:
    """What is on disk of a session that gave up a variant, and began another anew."""
    baselines = Baselines(tmp_path / "valid", most=8)
    baselines.accept(document(SECOND, OTHER, begun_at="2025-12-31T00:00:00+00:00"), only_new=False)
    baselines.accept(document(FIRST), only_new=False, remove=[OTHER_VARIANT], restarted=[VARIANT])
    return baselines.path(session(FIRST)).read_bytes()


@pytest.fixture(scope="module")
def valid(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return _valid(tmp_path_factory.mktemp("mutations"))


@pytest.fixture
def baselines(tmp_path: Path) -> Baselines:
    return Baselines(tmp_path / "baselines", most=8)


def _file(baselines: Baselines) -> Path:
    return baselines.path(session(FIRST))


def _put(baselines: Baselines, content: bytes) -> None:
    _file(baselines).parent.mkdir(parents=True, exist_ok=True)
    _file(baselines).write_bytes(content)


def _expected(variant: Variant) -> Expectation:
    return expectation(variant, Reads.IMAGES)


def _use_all(folder: Path, *, wholly: bool = True) -> bool:
    """Do all that is done with baselines; whether the file was read as valid."""
    baselines = Baselines(folder, most=8)
    with contextlib.suppress(UsageError):  # where it lies does not matter to who names it
        assert all(one.latency_s > 0 for one in read_stored(_file(baselines)).session.measurements)
    if not _reads(baselines):
        for use in (
            baselines.check,
            lambda: baselines.find(FIRST),
            lambda: baselines.evidence(VARIANT, MACHINE, STACK),
            lambda: baselines.newest(MACHINE, STACK),
            lambda: baselines.accept(document(SECOND, begun_at=LATER), only_new=False),
        ):
            with pytest.raises(BaselineError, match=slug_of(STACK)):
                use()
        return False
    for one in (FIRST, OTHER_WORK, OTHER, dataclasses.replace(FIRST, machine=dataclasses.replace(MACHINE, threads=1))):
        found = baselines.find(one)
        if isinstance(found, Baseline):
            assert found.measurement.latency_s > 0
    baselines.evidence(VARIANT, MACHINE, STACK)
    baselines.newest(MACHINE, STACK)
    if not wholly:
        return True
    judge_results(
        {VARIANT: FIRST},
        baselines.find,
        expected=_expected,
        gate=lambda *_: (),
        limits=Settings().limits,
        regression_ratio=1.25,
    )
    accepted = baselines.accept(document(SECOND, begun_at=LATER), only_new=False)
    Baselines(folder, most=8).check()
    (folder / accepted.name).unlink()
    return True


def _reads(baselines: Baselines) -> bool:
    try:
        baselines.check()
    except BaselineError:
        return False
    return True


def test_the_valid_file_is_read(baselines: Baselines, valid: bytes) -> None:
    _put(baselines, valid)
    assert _use_all(baselines.folder)
    baselines.check()
    found = baselines.find(SECOND)
    assert isinstance(found, Baseline)
    assert found.measurement == FIRST


#: Where in a document: keys and indices, outermost first.
Place = tuple[str | int, ...]


def _places(value: Any, place: Place = ()) -> Iterator[Place]:
    """Every key and index; of pytest-benchmark's own part and of the stack's answers one is like another."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*place, key)
        if key not in ("stats", "options", "stack_answers"):
            yield from _places(inner, (*place, key))


def _changed(whole: Any, place: Place, change: Callable[[Any, Any], None]) -> bytes:
    mutant = copy.deepcopy(whole)
    inner = mutant
    for key in place[:-1]:
        inner = inner[key]
    change(inner, place[-1])
    return json.dumps(mutant).encode()


def _delete(parent: Any, key: Any) -> None:
    del parent[key]


def _replaced(by: Any) -> Callable[[Any, Any], None]:
    def change(parent: Any, key: Any) -> None:
        parent[key] = by

    return change


def _twice(parent: Any, key: Any) -> None:
    parent[key] = [parent[key], parent[key]]


def _nested(parent: Any, key: Any) -> None:
    parent[key] = {"value": parent[key]}


_OTHERS: tuple[Any, ...] = (
    None, True, "", "x", "../../etc", "\x00", 0, -1, 0.5, -0.0, 10**30, 1e300, [], {}, [[]], [None], {"a": 1},
    float("nan"), float("inf"), "2026-13-45", "0001-01-01T00:00:00+23:59", "%%%",
)  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "change"),
    list(enumerate([_delete, _twice, _nested, *map(_replaced, _OTHERS)])),
    ids=["deleted", "twice", "nested", *map(repr, _OTHERS)],
)
def test_any_value_may_be_another(
    baselines: Baselines, valid: bytes, kind: int, change: Callable[[Any, Any], None]
) -> None:
    """All are read, and of each kind another tenth is judged and accepted upon as well."""
    whole = json.loads(valid)
    places = list(_places(whole))
    assert len(places) > 100
    for number, place in enumerate(places):
        _put(baselines, _changed(whole, place, change))
        _use_all(baselines.folder, wholly=number % 10 == kind % 10)


_RECORD: Place = ("benchmarks", 0, "extra_info", "perfsuite")
_HEAD: Place = ("perfsuite",)
_LATENCIES: Place = (*_RECORD, "replicates", 0, "blocks", 0, "latencies_ns")


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ((), []), ((), None), ((), 3),
        (("benchmarks",), 3), (("benchmarks",), {}), (("benchmarks",), ""), (("benchmarks",), None),
        (("benchmarks", 0), "x"), (("benchmarks", 0, "extra_info"), 3), (_RECORD, 3),
        ((*_RECORD, "replicates"), []), (_LATENCIES, []), (_LATENCIES, "fast"), (_LATENCIES, [0]), (_LATENCIES, [-5]),
        (_LATENCIES, [1, 0]), (_LATENCIES, [float("nan")]), (_LATENCIES, [float("inf")]), (_LATENCIES, [1.5]),
        (_LATENCIES, [10**30]), (_LATENCIES, [10**400]), (_LATENCIES, ["100"]), (_LATENCIES, [None]),
        ((*_RECORD, "evidence"), {"kernels": "many"}), ((*_RECORD, "evidence", "forward_s"), float("nan")),
        ((*_RECORD, "variant", "mode"), "warp"), ((*_RECORD, "replicates", 0, "blocks"), []),
        ((*_RECORD, "replicates", 0, "stages", "load_s"), 10**400),
        ((*_HEAD, "environment"), None), ((*_HEAD, "machine", "threads"), 2),
        ((*_HEAD, "stack", "packages", "torch"), "2.9.0"), ((*_HEAD, "id"), "mine"), ((*_HEAD, "begun_at"), "soon"),
        ((*_HEAD, "begun_at"), "2026-01-02T03:04:05+00:00"), ((*_HEAD, "commit"), 3), ((*_HEAD, "state"), None),
        ((*_HEAD, "restarted"), "all"), ((*_HEAD, "given_up"), [3]), (_HEAD, None),
        (("datetime",), 3), (("datetime",), "soon"),
    ],
    ids=lambda part: ".".join(map(str, part[-2:])) if isinstance(part, tuple) else repr(part)[:20],
)  # fmt: skip
def test_these_values_are_not_trusted(baselines: Baselines, valid: bytes, place: Place, value: Any) -> None:
    whole = [json.loads(valid)]
    _put(baselines, json.dumps(json.loads(_changed(whole, (0, *place), _replaced(value)))[0]).encode())
    assert not _use_all(baselines.folder)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe\x00",
        b"\xef\xbb\xbf{}",
        b"null",
        b"{}",
        b"[" * 100_000,
        b'{"benchmarks": ' * 50_000,
        b"{" + b" " * 99,
    ],
    ids=["empty", "binary", "byte-order-mark", "null", "object", "deep", "deep-object", "blank"],
)
def test_these_contents_are_not_trusted(baselines: Baselines, content: bytes) -> None:
    _put(baselines, content)
    assert not _use_all(baselines.folder)


def test_a_file_that_ends_early_is_not_trusted(baselines: Baselines, valid: bytes) -> None:
    whole = valid.rstrip()
    for end in range(0, len(whole), max(1, len(whole) // 150)):
        _put(baselines, whole[:end])
        assert not _use_all(baselines.folder)


def test_a_line_that_is_there_twice_is_not_trusted(baselines: Baselines, valid: bytes) -> None:
    whole = json.loads(valid)
    _put(baselines, json.dumps(whole | {"benchmarks": whole["benchmarks"] * 2}).encode())
    assert not _use_all(baselines.folder)


@pytest.mark.parametrize(
    ("key", "again"),
    [(b'"benchmarks":', b"3"), (b'"latencies_ns":', b"[-1]"), (b'"extra_info":', b"null"), (b'"datetime":', b"3")],
)
def test_of_a_key_that_is_there_twice_the_last_counts(
    baselines: Baselines, valid: bytes, key: bytes, again: bytes
) -> None:
    _put(baselines, valid.replace(key, key + again + b"," + key))
    assert _use_all(baselines.folder)
    assert msgspec.json.decode(b'{"a": 1, "a": 2}') == {"a": 2}


@settings(max_examples=300, deadline=None)
@given(at=st.integers(0, 10**6), what=st.binary(max_size=6), gone=st.integers(0, 40))
def test_any_bytes_may_be_others(tmp_path_factory: pytest.TempPathFactory, at: int, what: bytes, gone: int) -> None:
    folder = tmp_path_factory.getbasetemp() / "any-bytes"
    if not (kept := folder.with_suffix(".json")).exists():
        kept.write_bytes(_valid(tmp_path_factory.mktemp("valid")))
    content = kept.read_bytes()
    at %= len(content)
    _put(Baselines(folder, most=8), content[:at] + what + content[at + gone :])
    _use_all(folder)


def _loop(path: Path) -> None:
    path.symlink_to(path)


def _dangling(path: Path) -> None:
    path.symlink_to("nowhere")


@pytest.mark.parametrize("make", [Path.mkdir, _loop, _dangling], ids=["folder", "loop", "dangling"])
def test_what_is_no_file_is_named(baselines: Baselines, make: Callable[[Path], None]) -> None:
    _file(baselines).parent.mkdir(parents=True)
    make(_file(baselines))
    assert not _use_all(baselines.folder)


@pytest.mark.parametrize("make", [Path.touch, _loop], ids=["file", "loop"])
@pytest.mark.parametrize("level", [0, 1], ids=["folder", "machine-class"])
def test_what_is_no_folder_is_named(baselines: Baselines, make: Callable[[Path], None], level: int) -> None:
    path = _file(baselines).parents[2 - level]
    path.parent.mkdir(parents=True, exist_ok=True)
    make(path)
    for use in (lambda: baselines.find(FIRST), lambda: baselines.stacks(MACHINE)):
        with pytest.raises(BaselineError, match="cannot be read"):
            use()


@pytest.mark.parametrize("method", ["read_bytes", "iterdir"])
def test_what_may_not_be_read_is_named(
    baselines: Baselines, valid: bytes, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    _put(baselines, valid)

    def refuse(self: Path) -> Any:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, method, refuse)
    with pytest.raises(BaselineError, match=r"cannot be read \(Permission denied\)"):
        baselines.check()
