"""`perfsuite judge`: stored sessions held against one another, what it prints and its exit status."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from builders import DIGESTS, MACHINE, OLD_STACK, OTHER_VARIANT, VARIANT, document, measurement, session
from evidence_builders import evidence, kernel

from perfsuite.cli import main
from perfsuite.records.isa import Isa
from perfsuite.records.measurement import Failure, Measurement
from perfsuite.records.session import Unsupported
from perfsuite.records.violation import Kind, Violation
from perfsuite.store.documents import KEY, head_fields

#: 100 ms; sessions of three days that agree to 1 %.
LEVELS = (100.0, 101.0, 99.0)
AMX, NO_AMX = evidence([kernel(isa=Isa.AMX)]), evidence([kernel(isa=Isa.AVX512_BF16)])
WRONG = Violation(kind=Kind.SQNR_LOW, expected=25.0, found=3.0)


def _measured(level_ms: float, **changes: Any) -> Measurement:
    return measurement(round(level_ms * 1e6), round(level_ms * 1.001e6), **{"evidence": AMX, **changes})


@pytest.fixture
def judge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Judge a candidate against sessions; the exit status and what was said."""
    monkeypatch.chdir(tmp_path)

    def write(name: str, begun_at: str, *measurements: Measurement) -> str:
        Path(name).write_text(json.dumps(document(*measurements, begun_at=begun_at)))
        return name

    def judge(
        *candidate: Measurement, baseline: list[list[Measurement]] | None = None, more: tuple[str, ...] = ()
    ) -> tuple[int, str]:
        stored = baseline or [[_measured(level)] for level in LEVELS]
        files = [write(f"{day}.json", f"2026-01-0{day}T00:00:00+00:00", *one) for day, one in enumerate(stored, 1)]
        now = write("now.json", "2026-02-01T00:00:00+00:00", *candidate)
        status = main(["judge", "--baseline", *files, "--candidate", now, *more])
        said = capsys.readouterr()
        return status, said.out + said.err

    return judge


def test_what_is_as_it_was_is_fine(judge: Callable[..., Any]) -> None:
    status, said = judge(_measured(98))
    assert status == 0
    assert f"{VARIANT.id}: unchanged, ratio 0.980 [" in said
    assert "(3 sessions, accepted 2026-01-01 to 2026-01-03)" in said
    assert "unconfirmed" not in said


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"level_ms": 150}, "regressed, ratio 1.500"),
        ({"evidence": NO_AMX}, "lost (unchanged in speed)"),
        ({"wrong": (WRONG,)}, "error (unchanged in speed)"),
        (
            {"digests": dataclasses.replace(DIGESTS, weights_sha256="c" * 64)},
            "incomparable, weights digest aaaaaaaaaaaa in the baseline",
        ),
    ],
    ids=["slower", "lost", "wrong", "other-work"],
)
def test_what_is_worse_has_the_status_of_slower(judge: Callable[..., Any], changes: dict[str, Any], said: str) -> None:
    status, lines = judge(_measured(**{"level_ms": 100, **changes}))
    assert status == 1
    assert said in lines


def test_a_page_shows_what_was_judged(judge: Callable[..., Any], tmp_path: Path) -> None:
    status, _ = judge(_measured(150), more=("--report-html", "page.html"))
    assert status == 1
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert f'<a href="#{VARIANT.id}">' in page
    assert "regressed, ratio 1.500" in page
    assert "2026-01-03" in page  # a session of the baseline
    assert "from session to session" not in page
    assert not (tmp_path / ".perfsuite").exists()


def test_a_page_shows_what_the_history_has_of_it(
    judge: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    judge(_measured(150))
    assert main(["history", "import", "1.json", "2.json", "now.json"]) == 0
    judge(_measured(150), more=("--report-html", "page.html"))
    page = Path("page.html").read_text(encoding="utf-8")
    assert "3 sessions, from 100 ms to 150" in page
    assert "The square is this session" in page
    monkeypatch.setenv("PERFSUITE_HISTORY", "postgresql://me:secret@127.0.0.1:1/nights")
    status, said = judge(_measured(150), more=("--report-html", "page.html"))
    assert status == 1
    assert "the page has no trends: " in said
    assert "secret" not in said


@pytest.mark.parametrize(
    ("file", "said"),
    [("page.pdf", "a page is a file that ends in .html or .htm"), ("none/page.html", "there is no folder none")],
)
def test_a_page_that_nobody_could_write_is_refused_first(
    judge: Callable[..., Any], file: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as refused:
        judge(_measured(100), more=("--report-html", file))
    assert refused.value.code == 2
    assert said in capsys.readouterr().err


def test_a_suspect_is_told_and_does_not_fail(judge: Callable[..., Any]) -> None:
    status, said = judge(_measured(106), _measured(90, variant=OTHER_VARIANT), baseline=_pairs())
    assert status == 0
    assert f"may be slower, unconfirmed (1): {VARIANT.id}\n" in said
    assert f"seem faster, unconfirmed (1): {OTHER_VARIANT.id}\n" in said
    assert "half of the variants are slower" not in said


def _pairs() -> list[list[Measurement]]:
    return [[_measured(level), _measured(level, variant=OTHER_VARIANT)] for level in LEVELS]


def test_what_all_have_in_common_is_told(judge: Callable[..., Any]) -> None:
    _, said = judge(_measured(106), _measured(106, variant=OTHER_VARIANT), baseline=_pairs())
    assert "half of the variants are slower by 6.0% or more" in said


def test_evidence_of_an_older_session_is_held_against(judge: Callable[..., Any]) -> None:
    status, said = judge(_measured(100, evidence=NO_AMX), baseline=[[_measured(100)], [_measured(100, evidence=None)]])
    assert status == 1
    assert "lost: " in said


def test_what_the_candidate_lacks_is_named_and_what_the_baseline_lacks_passes(judge: Callable[..., Any]) -> None:
    status, said = judge(_measured(100, variant=OTHER_VARIANT))
    assert status == 3  # nothing could be judged
    assert "missing-baseline, no baseline of this variant" in said
    assert f"not in the candidate (1): {VARIANT.id}" in said


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ({"failures": (Failure(variant=OTHER_VARIANT, reason="killed by SIGSEGV"),)}, "failed: killed by SIGSEGV"),
        ({"unsupported": (Unsupported(variant=OTHER_VARIANT, reason="no bf16"),)}, "unsupported here: no bf16"),
    ],
    ids=["failed", "unsupported"],
)
def test_what_a_session_could_not_measure_is_judged_too(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    entries: dict[str, Any],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    for day, measurements in enumerate(_pairs(), 1):
        Path(f"{day}.json").write_text(json.dumps(document(*measurements, begun_at=f"2026-01-0{day}T00:00:00+00:00")))
    begun_at = "2026-02-01T00:00:00+00:00"
    head = head_fields(session(_measured(98), begun_at=begun_at, **entries))
    Path("now.json").write_text(json.dumps(document(_measured(98), begun_at=begun_at, **{KEY: head})))
    assert main(["judge", "--baseline", "1.json", "2.json", "3.json", "--candidate", "now.json"]) == 1
    out = capsys.readouterr().out
    assert said in out
    assert "not in the candidate" not in out


@pytest.mark.parametrize(("option", "status"), [((), 0), (("--require-verdict",), 3)])
def test_what_could_not_be_told_may_be_required(
    judge: Callable[..., Any], option: tuple[str, ...], status: int
) -> None:
    restless = [[_measured(level), _measured(100, variant=OTHER_VARIANT)] for level in (60, 100, 160)]
    found, said = judge(_measured(100), _measured(100, variant=OTHER_VARIANT), baseline=restless, more=option)
    assert found == status
    assert f"{VARIANT.id}: inconclusive" in said


def test_what_is_lost_may_be_accepted(judge: Callable[..., Any]) -> None:
    assert judge(_measured(100, evidence=NO_AMX), more=("--accept-lost",))[0] == 0


def test_variants_are_chosen_by_name(judge: Callable[..., Any]) -> None:
    slower = _measured(200, variant=OTHER_VARIANT)
    status, said = judge(_measured(100), slower, baseline=_pairs(), more=("-k", "resnet50"))
    assert status == 0
    assert OTHER_VARIANT.id not in said


@pytest.mark.parametrize(
    ("candidate", "baseline", "more", "said"),
    [
        ([_measured(1)], None, ("-k", "bert"), "-k 'bert' selects no variant of now.json"),
        (
            [_measured(1, machine=dataclasses.replace(MACHINE, threads=1))],
            None,
            (),
            "1.json is of machine class .* cannot be compared",
        ),
        ([_measured(1)], [[_measured(1)], [_measured(1, stack=OLD_STACK)]], (), "sessions of several stacks"),
        (
            [_measured(1, variant=dataclasses.replace(VARIANT, model="mine"))],
            None,
            (),
            r"there is no model mine: name it in \[tool.perfsuite.models\]",
        ),
        ([_measured(1)], None, ("--baseline", "now.json"), "now.json is a session that is given twice"),
        ([_measured(1)], None, ("--baseline", "none.json"), "none.json cannot be read: No such file"),
    ],
    ids=["no-variant", "other-machine", "two-stacks", "unknown-model", "twice", "no-file"],
)
def test_what_cannot_be_meant_is_named(
    judge: Callable[..., Any],
    candidate: list[Measurement],
    baseline: list[list[Measurement]] | None,
    more: tuple[str, ...],
    said: str,
) -> None:
    status, lines = judge(*candidate, baseline=baseline, more=more)
    assert status == 2
    assert re.search(f"^perfsuite: .*{said}", lines)
