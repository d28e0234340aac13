"""Stored sessions are paired by variant; what cannot be compared is one clear error."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from builders import DIGESTS, OTHER_VARIANT, VARIANT, document, measurement, session
from evidence_builders import evidence, kernel

from perfsuite.errors import UsageError
from perfsuite.records.measurement import Measurement
from perfsuite.store.baselines import Baselines
from perfsuite.store.sessions import read_contrasts, read_stored

FIRST = measurement(20_000_000, evidence=evidence([kernel(18)]))
SECOND = measurement(30_000_000, evidence=evidence([kernel(28)]))
OTHER = measurement(40_000_000, variant=OTHER_VARIANT)
OTHER_WEIGHTS = dataclasses.replace(FIRST, digests=dataclasses.replace(DIGESTS, weights_sha256="c" * 64))


def _stored(path: Path, *measurements: Measurement, **changes: Any) -> str:
    path.write_text(json.dumps(document(*measurements) | changes))
    return str(path)


@pytest.fixture
def old(tmp_path: Path) -> str:
    return _stored(tmp_path / "old.json", FIRST, OTHER)


@pytest.fixture
def new(tmp_path: Path) -> str:
    return _stored(tmp_path / "new.json", SECOND)


def _sides(before: str, after: str) -> list[tuple[Measurement, Measurement]]:
    return [(one.before, one.after) for one in read_contrasts(before, after)]


def test_what_was_stored_is_read_with_its_evidence(old: str) -> None:
    assert read_stored(Path(old)).session == session(FIRST, OTHER)


def test_a_baseline_is_a_session(tmp_path: Path) -> None:
    baselines = Baselines(tmp_path, most=8)
    baselines.accept(document(FIRST), only_new=False)
    assert read_stored(baselines.path(session(FIRST))).session == session(FIRST)


def test_a_session_of_an_older_perfsuite_is_named_with_what_to_do(tmp_path: Path) -> None:
    whole = document(FIRST)
    del whole["perfsuite"]
    path = tmp_path / "older.json"
    path.write_text(json.dumps(whole))
    with pytest.raises(UsageError, match=r"older.json was written by an older perfsuite, .*: measure anew"):
        read_stored(path)


def test_another_s_benchmarks_are_left_out(tmp_path: Path) -> None:
    mixed = [{"name": "theirs", "extra_info": {}}, *document(FIRST)["benchmarks"]]
    path = _stored(tmp_path / "mixed.json", benchmarks=mixed)
    assert read_stored(Path(path)).session.measurements == (FIRST,)


def test_two_sessions_are_paired_by_variant(old: str, new: str) -> None:
    assert _sides(old, new) == [(FIRST, SECOND)]
    assert _sides(new, old) == [(SECOND, FIRST)]


def test_two_variants_of_one_session(old: str) -> None:
    assert _sides(f"{old}::{VARIANT.id}", f"{old}::{OTHER_VARIANT.id}") == [(FIRST, OTHER)]


def test_a_variant_named_once_stands_for_both(old: str, new: str, tmp_path: Path) -> None:
    both = _stored(tmp_path / "both.json", SECOND, OTHER)
    assert _sides(f"{old}::{VARIANT.id}", both) == [(FIRST, SECOND)]
    assert _sides(old, f"{both}::{OTHER_VARIANT.id}") == [(OTHER, OTHER)]


def test_other_weights_alone_are_compared_all_the_same(new: str, tmp_path: Path) -> None:
    path = _stored(tmp_path / "other.json", OTHER_WEIGHTS)
    assert _sides(path, new) == [(OTHER_WEIGHTS, SECOND)]


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\xff\xfe", b"null", b"[]", b"{}", b'{"benchmarks": 3}', b'{"benchmarks": [{"name": "a"}]}',
        b'{"perfsuite": {}, "benchmarks": [{"extra_info": {"perfsuite": 3}}]}',
        json.dumps(document(FIRST)).encode()[:-40],
        b'{"benchmarks": [1]}',
    ],
)  # fmt: skip
def test_a_file_of_another_kind_is_named(content: bytes, new: str, tmp_path: Path) -> None:
    path = tmp_path / "else.json"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"else.json is not a stored session .*--benchmark-json"):
        read_contrasts(str(path), new)


def test_a_session_without_our_benchmarks_is_named(tmp_path: Path) -> None:
    path = _stored(tmp_path / "theirs.json", benchmarks=[{"name": "theirs", "extra_info": {}}])
    with pytest.raises(UsageError, match=r"theirs.json holds no measurement of perfsuite's"):
        read_stored(Path(path))


@pytest.mark.parametrize(("name", "why"), [("none.json", "No such file"), ("", "Is a directory")])
def test_what_cannot_be_read_is_named(name: str, why: str, new: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"cannot be read: {why}"):
        read_contrasts(new, str(tmp_path / name))


def test_a_variant_that_is_not_there_is_named_with_those_that_are(old: str, new: str) -> None:
    with pytest.raises(UsageError, match=f"new.json has no variant {OTHER_VARIANT.id}; it has {VARIANT.id}"):
        read_contrasts(f"{old}::{OTHER_VARIANT.id}", new)


def test_sessions_without_a_common_variant(new: str, tmp_path: Path) -> None:
    path = _stored(tmp_path / "other.json", OTHER)
    with pytest.raises(UsageError, match=r"other.json and .*new.json have no variant in common"):
        read_contrasts(path, new)


@pytest.mark.parametrize("suffix", ["", f"::{VARIANT.id}"])
def test_a_session_against_itself_asks_for_two_variants(old: str, suffix: str) -> None:
    with pytest.raises(UsageError, match="is given twice: name two files, or two variants"):
        read_contrasts(f"{old}{suffix}", f"{old}{suffix}")
