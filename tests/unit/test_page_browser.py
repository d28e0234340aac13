"""The page in a real browser: nothing fails or leaves the file, all can read it, and no name or value runs."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from browsing import Look, chromium, needs_browser
from builders import STACK
from page_builders import AFTER, BEFORE, FAILED, SLOWER, judged, measured, night

from perfsuite.judge.outcome import judge_support
from perfsuite.records.measurement import Failure
from perfsuite.records.session import Commit, MachineState
from perfsuite.report.judged import Judged
from perfsuite.report.page.document import page_html, write_page
from perfsuite.report.page.heat import anchor_of
from perfsuite.report.page.sessions import session_contents
from perfsuite.spec import Mode, Precision, Support, Variant

pytestmark = needs_browser
_DESK, _PHONE = (1440, 900), (390, 844)
_SCREENS = [(size, scheme) for size in (_DESK, _PHONE) for scheme in ("light", "dark")]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as one:
        yield one


def _every_level() -> Judged:
    """A night with each outcome, and the matrix of another model in which each colour occurs."""
    found = night()
    ratios = (0.5, 0.88, 0.97, 1.0, 1.05, 1.15, 1.9)
    names = [
        dataclasses.replace(SLOWER, model="bert-base", mode=mode, precision=precision)
        for mode in Mode
        for precision in (Precision.FP32, Precision.BF16)
    ][: len(ratios)]
    more = judged(
        [measured(variant, 20.0 * ratio, AFTER) for variant, ratio in zip(names, ratios, strict=True)],
        {variant: measured(variant, 20.0, BEFORE) for variant in names},
    )
    return dataclasses.replace(
        found,
        outcomes={**found.outcomes, **more.outcomes},
        results={**found.results, **more.results},
        explanations={**found.explanations, **more.explanations},
        lines=("verdicts: several", "  a line below", " ".join(["long"] * 300)),
    )


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    write_page(session_contents(_every_level()), path)
    return path


@pytest.mark.parametrize(("size", "scheme"), _SCREENS, ids=str)
def test_every_screen_shows_all_of_it(browser: Any, report: Path, size: tuple[int, int], scheme: str) -> None:
    """No word in the console, no request but for the file, nothing wider than the screen."""
    look = Look(browser, report.as_uri(), size=size, color_scheme=scheme)
    cells = look.page.locator(".heat td[class]")
    levels = {cells.nth(number).get_attribute("class").split()[0] for number in range(cells.count())}
    assert {"faster-3", "faster-2", "faster-1", "same", "slower-1", "slower-2", "slower-3", "none"} <= levels
    look.open_all()
    assert look.overflow_px <= 0
    assert look.faults == []
    assert look.requests == [report.as_uri()]


@pytest.mark.parametrize(("size", "scheme"), [_SCREENS[0], _SCREENS[-1]], ids=str)
def test_everybody_can_read_it(browser: Any, report: Path, size: tuple[int, int], scheme: str) -> None:
    """axe-core's rules, of which contrast depends on the colours and sizes of targets on the screen."""
    look = Look(browser, report.as_uri(), size=size, color_scheme=scheme)
    look.open_all()
    assert look.violations == []


def test_colours_are_the_reader_s(browser: Any, report: Path) -> None:
    paper = {
        scheme: Look(browser, report.as_uri(), color_scheme=scheme).page.evaluate(
            "getComputedStyle(document.body).backgroundColor"
        )
        for scheme in ("light", "dark")
    }
    assert paper == {"light": "rgb(255, 255, 255)", "dark": "rgb(15, 19, 23)"}


def test_keys_alone_lead_from_the_matrix_to_a_variant(browser: Any, report: Path) -> None:
    look = Look(browser, report.as_uri())
    closed = look.closed.get_attribute("id")
    look.page.keyboard.press("Tab")
    assert look.page.evaluate("document.activeElement.textContent") == "Go to the content"
    look.page.keyboard.press("Enter")
    for _ in range(60):
        look.page.keyboard.press("Tab")
        if look.page.evaluate("document.activeElement.getAttribute('href')") == f"#{closed}":
            break
    look.page.keyboard.press("Enter")
    look.page.wait_for_function("name => document.getElementById(name).closest('details').open", arg=closed)
    assert look.page.evaluate("document.activeElement.id") == closed
    assert look.faults == []


def test_without_scripts_links_open_what_they_lead_to(browser: Any, report: Path) -> None:
    look = Look(browser, report.as_uri(), java_script_enabled=False)
    assert not look.page.locator("#tools").is_visible()
    name = look.closed.get_attribute("id")
    body = look.page.locator(f"[id='{name}']")
    assert not body.is_visible()
    look.page.click(f".heat a[href='#{name}']")
    body.wait_for(state="visible")


def test_print_shows_what_is_closed_on_the_screen(browser: Any, report: Path) -> None:
    look = Look(browser, report.as_uri(), java_script_enabled=False, color_scheme="dark")
    body = look.page.locator(f"[id='{look.closed.get_attribute('id')}']")
    assert not body.is_visible()
    look.page.emulate_media(media="print")
    body.wait_for(state="visible")
    assert len(look.page.pdf()) > 10_000


def test_filter_finds_by_what_is_told(browser: Any, report: Path) -> None:
    look = Look(browser, report.as_uri())
    shown = look.page.locator("details.variant:visible")
    everything = shown.count()
    look.page.fill("#filter", "SIGSEGV")
    assert shown.count() == 1
    assert look.page.inner_text("#found") == f"1 of {everything}"
    look.page.click(f".heat a[href='#{SLOWER.id}']")  # what a link leads to is shown whatever the filter says
    assert look.page.locator(f"[id='{SLOWER.id}']").is_visible()
    look.page.fill("#filter", "")
    assert shown.count() == everything


def test_policy_stops_what_escaping_let_through(browser: Any, tmp_path: Path) -> None:
    """And the console tells of it, which the other tests here look at."""
    html = page_html(session_contents(judged([Failure(variant=FAILED, reason="gone")], {})))
    hole = "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'><p style='color: red'>"
    path = tmp_path / "hole.html"
    path.write_text(html.replace("</main>", f"{hole}</main>"), encoding="utf-8")
    look = Look(browser, path.as_uri())
    assert not look.hacked
    assert len([fault for fault in look.faults if "Content Security Policy" in fault]) >= 3


_MEAN = (
    "<script>window.hacked=1</script>",
    "</script><script>window.hacked=1</script>",
    "</style><script>window.hacked=1</script>",
    "</title><script>window.hacked=1</script>",
    "<img src=x onerror=window.hacked=1>",
    '"><svg onload=window.hacked=1>',
    "' onfocus='window.hacked=1' autofocus='",
    "javascript:window.hacked=1",
    "<a href='javascript:window.hacked=1'>",
    "<iframe srcdoc='<script>parent.hacked=1</script>'>",
    "<meta http-equiv=refresh content='0;url=//x'>",
    "<style>*{display:none}</style>",
    "<base href=//x>",
    "</details></main></body></html>",
    "<!-- ",
    "--> ]]>",
    "{{ 7 * 7 }}",
    "{% include '/etc/passwd' %}",
    "&lt;b&gt; &amp;amp; &#x3c;",
    "`${window.hacked=1}`",
    "\\u003cscript\\u003e",
    "%3Cscript%3E",
    "'\"\\/",
    "\x00\x01\x1b[31m",
    "\ud800 half a pair",
    "\u202eright to left",
    "\u2028\u2029",
    "\U0001f600\U0001f468\u200d\U0001f469\u200d\U0001f467\U0001f3f4",
    "größe \u6f22\u5b57 \u05e2\u05d1 \u0627\u0644",
    "a\nb\r\nc\td",
    "  spaces  ",
    "x" * 10_000,
    "word " * 2_000,
    "",
    ".",
    "#",
    "-",
)


def _hostile(count: int) -> list[str]:
    """So many, all different."""
    return [f"{_MEAN[number % len(_MEAN)]}{number}" for number in range(count)]


def _hostile_night(names: Sequence[str]) -> Judged:
    """A quarter are models' names and reasons of failures; the others packages, variables, kernels and settings."""
    quarter, rest = names[: len(names) // 4], names[len(names) // 4 :]
    variants = [
        Variant(model=name, backend="ipex", mode=Mode.EAGER, precision=Precision.FP32, workload="latency")
        for name in quarter
    ]
    kernels = tuple(
        dataclasses.replace(AFTER.kernels[0], implementation=name, operation=name, problem=name) for name in rest[:20]
    )
    observed = dataclasses.replace(AFTER, kernels=kernels)
    first = rest[0]
    variables = {name: name[::-1] for name in rest[20:]}
    return judged(
        [
            measured(variants[0], 40.0, observed, weights_origin=first, environment=variables),
            *(Failure(variant=variant, reason=name) for variant, name in zip(variants[1:], rest, strict=False)),
        ],
        {variants[0]: measured(variants[0], 20.0, BEFORE)},
        outcomes={SLOWER: judge_support(SLOWER, Support(reason=first), in_baseline=True, ignored=first)},
        lines=tuple(rest),
        commit=Commit(id=first),
        state=MachineState(node=first, kernel=rest[1], governor=rest[2]),
        stack=dataclasses.replace(STACK, packages={**STACK.packages, **dict(zip(rest, reversed(rest), strict=True))}),
    )


def test_a_thousand_hostile_names_and_values_are_text(browser: Any, tmp_path: Path) -> None:
    found = _hostile_night(_hostile(1000))
    path = tmp_path / "hostile.html"
    write_page(session_contents(found), path)
    look = Look(browser, path.as_uri(), size=_PHONE)
    count = len(found.outcomes)
    assert look.page.locator("details.variant").count() == count
    assert look.page.locator(".heat a").count() == count
    assert look.page.locator("script").count() == look.page.locator("style").count() == 1
    assert look.page.locator("img, iframe, object, embed, base, main meta").count() == 0
    look.open_all()
    told = look.page.locator(f"[id='{anchor_of(next(iter(found.results)).id)}']").inner_text()
    assert "<script>window.hacked=1</script>" in told
    ids = look.page.evaluate("[...document.querySelectorAll('[id]')].map((one) => one.id)")
    assert len(ids) == len(set(ids))
    assert look.overflow_px <= 0
    assert not look.hacked
    assert look.faults == []
    assert look.requests == [path.as_uri()]
