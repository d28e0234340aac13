"""Summaries, comments and issues: GitHub's limits are kept, and whatever a record holds is read as text."""

from __future__ import annotations

import dataclasses
import html
import re

import pytest
from builders import OTHER_VARIANT, VARIANT, measurement, session
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from perfsuite.explain.causes import explain
from perfsuite.judge.outcome import judge_variant
from perfsuite.records.outcome import Outcome, Policy
from perfsuite.records.speed import Reason, Speed, Verdict
from perfsuite.report.github import COMMENT_BYTES, SUMMARY_BYTES
from perfsuite.report.judged import Judged
from perfsuite.report.markdown import escaped, fitted, issue_text, items, summary_markdown
from perfsuite.spec import Variant
from perfsuite.stats.intervals import Interval

HOSTILE = (
    "<script>alert(1)</script>", "a | b", "`code`", "**bold** _it_ ~~gone~~", "[x](http://y) ![i](z)", "@everyone #12",
    "- item", "+ item", "12. item", "3) item", "---", "# head", "> quote", "&lt; &amp;#35; &copy;", "\\| \\<b>",
    "$$x$$", "_a_ b_c __d", "line\n\n| a | b |\n|---|---|", "</details></summary>", "<!-- gone -->",
    "emoji \U0001f600", "\u202edne", "nul \x00 \x1b[31m", "http://a.b/?c=d&e", "    indented", '"quoted" \'too\'',
    "x" * 10_000,
)  # fmt: skip
MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def _outcome(variant: Variant = VARIANT, verdict: Verdict = Verdict.REGRESSED, failure: str = "") -> Outcome:
    speed = Speed(
        variant=variant,
        verdict=verdict,
        reason=Reason.BEYOND,
        matters=1.02,
        candidate_s=0.107,
        baseline_s=0.0197,
        ratio=5.407,
        interval=Interval(low=5.226, high=5.595, coverage=0.95),
    )
    return judge_variant(variant, speed=speed, failure=failure)


def _judged(*outcomes: Outcome, lines: tuple[str, ...] = ()) -> Judged:
    return Judged(
        session=session(),
        outcomes={one.variant: one for one in outcomes},
        policy=Policy(),
        lines=lines,
        results={},
        explanations={VARIANT: explain(measurement(19_700_000), measurement(107_000_000))},
    )


def _read(text: str) -> str:
    """What a reader sees of it, and no tag but those of a list."""
    rendered = MARKDOWN.render(text)
    tags = set(re.findall(r"<[^>]*>", rendered))
    assert tags <= {"<ul>", "</ul>", "<li>", "</li>", "<!-- -->"}
    return html.unescape(re.sub(r"<[^>]*>", "", rendered)).strip()


def _as_read(text: str) -> str:
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())


@pytest.mark.parametrize("text", HOSTILE)
def test_whatever_it_is_reads_as_it_is(text: str) -> None:
    (line,) = items([text])
    assert _read(line) == _as_read(text).removeprefix("- ").strip()


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
@example("-\t-")
@example("1.")
@example("=")
def test_any_text_reads_as_it_is(text: str) -> None:
    (line,) = items([text])
    assert _read(line) == _as_read(text.lstrip().removeprefix("- ")).strip()


@pytest.mark.parametrize("text", HOSTILE)
def test_nobody_is_called_and_no_issue_is_named(text: str) -> None:
    assert not re.search(r"@\w|(?<!&)#\d", escaped(text))


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_session_leaves_its_tables_and_folds_whole(text: str) -> None:
    variant = dataclasses.replace(VARIANT, model=text, workload=text)
    told = summary_markdown(_judged(_outcome(variant, failure=text), lines=(text, text)), SUMMARY_BYTES, command="x")
    rendered = MARKDOWN.render(told)
    for tag in ("table", "details", "summary", "pre", "h2"):
        wanted = {"details": 2, "summary": 2}.get(tag, 1)
        assert len(re.findall(f"<{tag}\\b", rendered)) == len(re.findall(f"</{tag}>", rendered)) == wanted, tag
    assert not re.findall(
        r"<(?:script|b|img|a|em|strong|del|blockquote|hr)\b(?!>ipex)", rendered.replace("<strong>ipex", "")
    )


def test_a_summary_tells_verdicts_in_a_table_why_and_how_to_see_it_again() -> None:
    fine = dataclasses.replace(_outcome(OTHER_VARIANT, Verdict.UNCHANGED))
    text = summary_markdown(
        _judged(_outcome(), fine, lines=("verdicts: 2",)), SUMMARY_BYTES, command="pytest -k 'a or b'"
    )
    assert "## 🔴 perfsuite: 1 unchanged, 1 regressed" in text
    assert "| torchscript | 🔴 107 ms 5.407 regressed |" in text
    assert "| torchscript | 🟢 107 ms 5.407 unchanged |" in text
    assert f"<summary>{VARIANT.id}: regressed, ratio 5.407 &#91;5.226, 5.595&#93; at 95%" in text
    assert "- more than all of the slowdown" in text or "of the kernels that ran" in text
    assert "```sh\npytest -k 'a or b'\n```" in text


@pytest.mark.parametrize("most", [COMMENT_BYTES, SUMMARY_BYTES, 3_000])
def test_no_summary_is_longer_than_github_takes_and_what_is_worst_is_kept(most: int) -> None:
    fine = [
        _outcome(dataclasses.replace(OTHER_VARIANT, model=f"m{number}"), Verdict.UNCHANGED) for number in range(12_000)
    ]
    text = summary_markdown(
        _judged(*fine, _outcome(failure="é" * 50_000), lines=("word",) * 9), most, command="pytest -k x"
    )
    assert len(text.encode()) <= most
    assert "12000 unchanged" in text
    assert "pytest -k x" in text
    assert "parts of this are left out" in text
    assert ("failed: é" in text) == (most > 3_000)


def test_nothing_is_said_to_be_left_out_where_nothing_is() -> None:
    assert "left out" not in summary_markdown(_judged(_outcome()), COMMENT_BYTES)


@given(st.lists(st.text(max_size=50), max_size=20), st.integers(min_value=200, max_value=2_000))
def test_parts_stay_whole_and_in_order(parts: list[str], most: int) -> None:
    numbered = [f"{number}:{part}" for number, part in enumerate(parts)]
    text = fitted(numbered, most, first=[len(parts) - 1] if parts else [])
    assert len(text.encode("utf-8", "surrogatepass")) <= most
    places = [text.find(part) for part in numbered if part in text]
    assert places == sorted(places) or len(set(numbered)) < len(numbered)


def test_an_issue_has_a_title_and_only_what_is_red() -> None:
    fine = _outcome(OTHER_VARIANT, Verdict.UNCHANGED)
    title, empty, *body = issue_text(_judged(_outcome(), fine), command="pytest -k x").splitlines()
    assert title == f"{VARIANT.id}: regressed, ratio 5.407"
    assert not empty
    assert not any("bert-base" in line for line in body)
    assert "pytest -k x" in body
    assert issue_text(_judged(fine), command="pytest -k x") == ""


def test_an_issue_of_several_counts_them_and_its_title_is_no_longer_than_github_takes() -> None:
    several = [_outcome(dataclasses.replace(VARIANT, model=f"{'m' * 90}{number}")) for number in range(9)]
    title = issue_text(_judged(*several), command="pytest -k x").splitlines()[0]
    assert len(title) == 256
    two = issue_text(_judged(_outcome(), _outcome(OTHER_VARIANT)), command="pytest -k x").splitlines()[0]
    assert two == "resnet50, bert-base: 2 variants are worse (2 regressed)"


def test_a_command_with_a_fence_in_it_stays_in_its_own() -> None:
    text = summary_markdown(_judged(_outcome()), SUMMARY_BYTES, command="pytest -k '```'")
    assert "<code class=\"language-sh\">pytest -k '```'\n</code>" in MARKDOWN.render(text)
