"""The page as one file: its policy, that nothing in it is code or asks for anything outside, and its size."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from page_builders import AFTER, BEFORE, SLOWER, confirmed, judged, measured, night, pairs, trend

from perfsuite.errors import PerfsuiteError
from perfsuite.report.page.document import page_html, write_page
from perfsuite.report.page.sessions import session_contents
from perfsuite.report.page.trend import SESSIONS
from perfsuite.spec import Mode, Precision

_SOME = (Precision.FP32, Precision.BF16)


class _Tags(HTMLParser):
    """Every element with its attributes, and the text of inline scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.inline: dict[str, str] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1][0] in ("style", "script") and self.lasttag == self.tags[-1][0]:
            self.inline[self.tags[-1][0]] = self.inline.get(self.tags[-1][0], "") + data

    def handle_endtag(self, tag: str) -> None:
        self.tags.append((f"/{tag}", {}))


@pytest.fixture(scope="module")
def html() -> str:
    return page_html(session_contents(night()))


def test_policy_allows_the_page_s_own_style_and_script_alone(html: str) -> None:
    tags = _Tags(html)
    (policy,) = [one["content"] for tag, one in tags.tags if one.get("http-equiv") == "Content-Security-Policy"]
    assert policy is not None
    digests = {
        name: base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for name, text in tags.inline.items()
    }
    assert policy.split("; ") == [
        "default-src 'none'",
        f"style-src 'sha256-{digests['style']}'",
        f"script-src 'sha256-{digests['script']}'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
    ]


def test_nothing_asks_for_anything_outside(html: str) -> None:
    allowed = {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}  # names, which nobody fetches
    assert set(re.findall(r"https?://[^\"'\s<)]+", html)) <= allowed
    for tag, attributes in _Tags(html).tags:
        assert tag not in ("img", "iframe", "object", "embed", "base")
        assert not [name for name in attributes if name.startswith("on") or name == "style"], tag
        for name in ("href", "xlink:href", "src", "action"):
            assert (attributes.get(name) or "#").startswith(("#", "data:,"))


def test_links_lead_to_what_is_there(html: str) -> None:
    tags = _Tags(html).tags
    ids = [attributes["id"] for _, attributes in tags if attributes.get("id")]
    assert len(ids) == len(set(ids)), "an id is there twice"
    links = {attributes["href"] for tag, attributes in tags if tag == "a"}
    assert links == {f"#{name}" for name in ids if name in links or f"#{name}" in links}
    assert f"#{SLOWER.id}" in links


def test_clip_paths_of_one_figure_are_not_those_of_another(html: str) -> None:
    used = set(re.findall(r"url\(#([^)]+)\)", html))
    assert all(html.count(f'id="{name}"') == 1 for name in used)


def test_ninety_six_variants_stay_under_five_megabytes() -> None:
    """All were confirmed by pairs, and have iterations, kernels and costs of both sides, and half a year of nights."""
    variants = [dataclasses.replace(SLOWER, mode=mode, precision=precision) for mode in Mode for precision in _SOME]
    found = judged(
        [measured(variant, 36.0, AFTER) for variant in variants],
        {variant: measured(variant, 20.0, BEFORE) for variant in variants},
    )
    for variant in variants:
        found = confirmed(found, variant, pairs(variant, 1.8, count=6))
    nights = {variant: (trend(variant, sessions=SESSIONS),) for variant in variants}
    contents = session_contents(dataclasses.replace(found, trends=nights))
    assert all(one.pairs and one.stored and one.before and one.before.evidence for one in contents.chapters)
    size, bare = (len(page_html(one).encode()) for one in (contents, dataclasses.replace(contents, chapters=())))
    assert bare + (size - bare) / len(variants) * 96 < 5e6


def test_a_page_takes_the_place_of_an_older_one_in_one_step(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("older")
    write_page(session_contents(night()), path)
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert [one.name for one in tmp_path.iterdir()] == ["report.html"]


def test_a_page_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(PerfsuiteError, match=r"gone/report.html cannot be written: No such file"):
        write_page(session_contents(night()), tmp_path / "gone" / "report.html")
