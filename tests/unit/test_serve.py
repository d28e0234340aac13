"""`perfsuite serve`: what it answers, to whom, and what it shows; a real server, and a real browser once."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import threading
import urllib.request
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote
from wsgiref.util import setup_testing_defaults

import pytest
from browsing import Look, chromium, needs_browser
from builders import MACHINE, OLD_STACK, OTHER_VARIANT, VARIANT, document, measurement, session
from page_builders import AFTER, BEFORE, worker

from perfsuite.backends.registry import slug_of
from perfsuite.cli import main
from perfsuite.history.address import history_url
from perfsuite.history.database import History
from perfsuite.history.imports import rows_in
from perfsuite.history.rows import rows_of
from perfsuite.models import load_models
from perfsuite.records.measurement import Measurement
from perfsuite.serve.app import App
from perfsuite.serve.pages import Pages
from perfsuite.serve.server import local_server
from perfsuite.serve.shelf import Files, Kept
from perfsuite.settings import Settings

HOSTILE = dataclasses.replace(VARIANT, model="<script>/a b?#%2F")


def _measured(latency_ms: float, **changes: Any) -> Measurement:
    workers = (worker(latency_ms), worker(latency_ms * 1.002))
    return dataclasses.replace(measurement(), replicates=workers, **changes)


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """Three days of one stack, of which the last is slower; an older stack; another machine; what is no session."""
    days = {
        1: [_measured(19.0, stack=OLD_STACK)],
        2: [_measured(20.0, evidence=BEFORE), _measured(5.0, variant=OTHER_VARIANT)],
        3: [_measured(20.2, evidence=BEFORE), _measured(5.0, variant=HOSTILE)],
        4: [_measured(40.0, evidence=AFTER)],
        5: [_measured(90.0, machine=dataclasses.replace(MACHINE, threads=2))],
    }
    for day, measurements in days.items():
        text = json.dumps(document(*measurements, begun_at=f"2026-01-0{day}T03:04:05+00:00"))
        (tmp_path / f"{day}.json").write_text(text)
    (tmp_path / "copy.json").write_text((tmp_path / "2.json").read_text())
    (tmp_path / "broken.json").write_text("{")
    return tmp_path


@pytest.fixture
def app(shelf: Path) -> Iterator[App]:
    with contextlib.closing(Files([shelf])) as library:
        yield App(library, Pages(Settings(), load_models({})))


@pytest.fixture
def get(app: App) -> Callable[..., tuple[int, str]]:
    return _asker(app)


def _asker(app: App) -> Callable[..., tuple[int, str]]:
    """Ask the application for a path; its status, and what it sends."""

    def ask(path: str, query: str = "", **environ: str) -> tuple[int, str]:
        asked: dict[str, Any] = {}
        setup_testing_defaults(asked)
        # As a server does it: the path's bytes, as latin-1.
        asked |= {"PATH_INFO": path.encode().decode("latin-1"), "QUERY_STRING": query, "HTTP_HOST": "localhost:8323"}
        asked |= environ
        told: list[str] = []
        body = b"".join(app(asked, lambda status, headers, *_: told.append(status)))  # type: ignore[arg-type]
        return int(told[0].split()[0]), body.decode()

    return ask


def _session(day: int) -> str:
    return f"/sessions/2026010{day}T030405.000000Z-1a2b"


def test_all_sessions_and_variants_are_listed_once(get: Callable[..., tuple[int, str]]) -> None:
    status, page = get("/")
    assert status == HTTPStatus.OK
    assert page.count('<a href="/sessions/2026') == 5
    assert page.count('<a href="/variants/') == 3
    assert "5 of 5 that fit, of 5, the newest first." in page
    assert page.index(_session(5)) < page.index(_session(4))
    assert "not read: " in page
    assert "broken.json is no file of perfsuite&#39;s or pytest-benchmark&#39;s" in page
    assert "<script>/a b" not in page


@pytest.mark.parametrize(
    ("query", "days"),
    [
        ("q=bert-base", {2}),
        ("q=torch-2.7.0", {1}),
        ("q=2026-01-04", {4}),
        ("q=RESNET50+torch-2.8.0", {2, 3, 4, 5}),
        ("q=%3Cscript%3E", {3}),
        ("q=nothing-like-it", set()),
        ("q=", {1, 2, 3, 4, 5}),
    ],
)
def test_search_finds_by_every_word(get: Callable[..., tuple[int, str]], query: str, days: set[int]) -> None:
    _, page = get("/", query)
    assert {day for day in range(1, 6) if f'<th scope="row"><a href="{_session(day)}">' in page} == days


def test_a_session_is_held_against_those_before_it(get: Callable[..., tuple[int, str]]) -> None:
    """Of its own stack where there are such, and of its machine class alone."""
    status, page = get(_session(4))
    assert status == HTTPStatus.OK
    assert f'<a href="{_session(4)}/{VARIANT.id}">' in page
    assert 'class="slower-3 red"' in page
    assert "the newest of 2026-01-03" in page
    assert "sessions of ipex-2.7.0_torch-2.7.0" in get(_session(2))[1]
    assert "missing-baseline" in get(_session(1))[1]
    assert "missing-baseline" in get(_session(5))[1]


def test_what_a_session_cannot_run_any_more_is_lost(get: Callable[..., tuple[int, str]], shelf: Path) -> None:
    whole = document(_measured(5.0, variant=OTHER_VARIANT), begun_at="2026-01-06T03:04:05+00:00")
    whole["perfsuite"]["unsupported"] = [{"variant": dataclasses.asdict(VARIANT), "reason": "ipex is gone"}]
    (shelf / "6.json").write_text(json.dumps(whole))
    assert "1 lost" in get(_session(6))[1]
    assert "ipex is gone" in get(f"{_session(6)}/{VARIANT.id}")[1]


def test_a_variant_is_shown_from_session_to_session(get: Callable[..., tuple[int, str]]) -> None:
    status, page = get(f"{_session(4)}/{VARIANT.id}")
    assert status == HTTPStatus.OK
    assert "Latency from session to session" in page
    assert "4 sessions, from 19.4" in page
    assert "The square is this session" in page
    assert "A dashed line stands where the stack is another than before." in page
    assert "convolutions that moved from" in page
    assert f'<a href="{_session(4)}">' in page


def test_a_variant_s_own_address_tells_of_every_machine_class_and_where_its_level_changed(tmp_path: Path) -> None:
    """Of the project's history, a step of which came with another torch; what others measured has figures alone."""
    newer = dataclasses.replace(OLD_STACK, packages={**OLD_STACK.packages, "torch": "9.9.0"})
    history = History(history_url(tmp_path, None, {}))
    for day in range(1, 25):
        stack, level = (newer, 1.2) if day > 12 else (OLD_STACK, 1.0)
        measured = _measured((20.0 + day % 3 / 10) * level, stack=stack)
        found = dataclasses.replace(session(measured), begun_at=f"2026-01-{day:02}T03:04:05+00:00")
        found = dataclasses.replace(found, id=f"{found.begun_compact}-1a2b")
        history.keep(rows_of(found, slug_of(stack), {VARIANT.id: "unchanged"}))
    (tmp_path / "0001.json").write_text(
        json.dumps(
            {
                "datetime": "2026-02-02T03:04:05+00:00",
                "machine_info": {"machine": "x86_64"},
                "benchmarks": [{"fullname": VARIANT.id, "stats": {"median": 0.25}}],
            }
        )
    )
    history.keep(rows_in(tmp_path / "0001.json"))
    with contextlib.closing(Kept(history)) as library:
        get = _asker(App(library, Pages(Settings(), load_models({}))))
        status, page = get(f"/variants/{VARIANT.id}")
        assert status == HTTPStatus.OK
        for said in (
            f">{MACHINE.slug}<",
            ">x86_64<",
            "24 sessions, from 20.",
            "A coloured line stands where a new level begins.",
            "Latency: where its level changed",
            "2026-01-13 03:04",
            "torch 2.7.0 -&gt; 9.9.0",
            "1.200 times",
            "Peak memory from session to session",
        ):
            assert said in page
        assert page.count("The newest session: ") == 1
        assert "unchanged" in get("/")[1]
        assert "judged when it ran" in get("/sessions/20260124T030405.000000Z-1a2b")[1]


def test_stacks_that_run_by_turns_are_drawn_apart(tmp_path: Path) -> None:
    newer = dataclasses.replace(OLD_STACK, packages={**OLD_STACK.packages, "torch": "9.9.0"})
    history = History(history_url(tmp_path, None, {}))
    for day in range(1, 25):
        stack, level = (newer, 1.5) if day % 2 else (OLD_STACK, 1.0)
        measured = _measured((20.0 + day % 3 / 10) * level, stack=stack)
        found = dataclasses.replace(session(measured), begun_at=f"2026-01-{day:02}T03:04:05+00:00")
        found = dataclasses.replace(found, id=f"{found.begun_compact}-1a2b")
        history.keep(rows_of(found, slug_of(stack), {VARIANT.id: "unchanged"}))
    with contextlib.closing(Kept(history)) as library:
        get = _asker(App(library, Pages(Settings(), load_models({}))))
        _, page = get(f"/variants/{VARIANT.id}")
        for stack in (OLD_STACK, newer):
            assert f"Latency from session to session, {slug_of(stack)}" in page
        assert "where its level changed" not in page
        _, page = get(f"/sessions/20260124T030405.000000Z-1a2b/{VARIANT.id}")
        assert "12 sessions, from 20" in page, page[page.index(" sessions, from") - 5 :][:90]


def test_names_of_any_kind_have_addresses_that_last(get: Callable[..., tuple[int, str]]) -> None:
    _, page = get(_session(3))
    address = f"{_session(3)}/{quote(HOSTILE.id, safe='')}"
    assert f'<a href="{address}">' in page
    assert get(f"{_session(3)}/{HOSTILE.id}")[0] == HTTPStatus.OK
    assert get(f"/variants/{HOSTILE.id}")[0] == HTTPStatus.OK


@pytest.mark.parametrize(
    ("path", "environ", "status"),
    [
        ("/none", {}, 404),
        ("/sessions/none", {}, 404),
        (f"{_session(4)}/none", {}, 404),
        ("/variants/none", {}, 404),
        ("/variants", {}, 404),
        ("/../../etc/passwd", {}, 404),
        ("/", {"REQUEST_METHOD": "POST"}, 405),
        ("/", {"REQUEST_METHOD": "DELETE"}, 405),
        ("/", {"HTTP_HOST": "evil.example"}, 403),
        ("/", {"HTTP_HOST": "localhost.evil.example:8323"}, 403),
        ("/", {"HTTP_HOST": ""}, 403),
        ("/", {"HTTP_HOST": "127.0.0.1"}, 200),
        ("/", {"HTTP_HOST": "[::1]:8323"}, 200),
    ],
)
def test_nothing_else_is_answered(
    get: Callable[..., tuple[int, str]], path: str, environ: dict[str, str], status: int
) -> None:
    assert get(path, **environ)[0] == status


def test_head_sends_no_body(get: Callable[..., tuple[int, str]]) -> None:
    assert get("/", REQUEST_METHOD="HEAD") == (200, "")


def test_what_is_new_or_gone_is_seen(get: Callable[..., tuple[int, str]], shelf: Path) -> None:
    get("/")
    (shelf / "6.json").write_text(json.dumps(document(_measured(20.0), begun_at="2026-01-06T03:04:05+00:00")))
    (shelf / "5.json").unlink()
    _, page = get("/")
    assert _session(6) in page
    assert _session(5) not in page


def test_a_session_that_was_cut_short_is_shown_whole_once_it_is(tmp_path: Path) -> None:
    short = dataclasses.replace(session(_measured(20.0)), begun_at="2026-01-02T03:04:05+00:00")
    short = dataclasses.replace(short, id=f"{short.begun_compact}-1a2b")
    whole = dataclasses.replace(short, measurements=(_measured(20.0), _measured(5.0, variant=OTHER_VARIANT)))
    history = History(history_url(tmp_path, None, {}))
    with contextlib.closing(Kept(history)) as library:
        get = _asker(App(library, Pages(Settings(), load_models({}))))
        shown = []
        for found in (short, whole):
            history.keep(rows_of(found, slug_of(found.stack), {}))
            shown.append(OTHER_VARIANT.id in get(f"/sessions/{found.id}")[1])
    assert shown == [False, True]


def test_a_folder_that_goes_is_told(get: Callable[..., tuple[int, str]], shelf: Path) -> None:
    get("/")
    shelf.rename(shelf.with_name("elsewhere"))
    _, page = get("/")
    assert f"not read: there is no {shelf} any more" in page
    assert "0 of 0 that fit, of 0" in page


@pytest.fixture
def address(app: App) -> Iterator[str]:
    """A server on a port that is free."""
    with local_server("127.0.0.1", 0, app) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_real_server_answers(address: str) -> None:
    with urllib.request.urlopen(f"{address}{_session(4)}", timeout=300) as answer:
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.read().startswith(b"<!doctype html>")


@needs_browser
def test_a_reader_finds_a_variant_by_search_and_gets_back(address: str) -> None:
    with chromium() as browser:
        look = Look(browser, address, size=(390, 844), color_scheme="dark")
        assert look.violations == []
        look.page.fill("[name=q]", "bert-base")
        look.page.keyboard.press("Enter")
        look.page.wait_for_url("**/?q=bert-base")
        look.page.click(f"a:text-is('{OTHER_VARIANT.id}')")
        look.page.wait_for_url(f"**/variants/{OTHER_VARIANT.id}")
        assert look.violations == []
        assert look.overflow_px <= 0
        look.page.click(f"a[href='{_session(2)}/{OTHER_VARIANT.id}']")
        look.page.wait_for_url(f"**{_session(2)}/{OTHER_VARIANT.id}")
        assert look.violations == []
        assert look.overflow_px <= 0
        look.page.click(f"a[href='{_session(2)}']")
        look.page.wait_for_url(f"**{_session(2)}")
        look.page.click(f".heat a[href='{_session(2)}/{VARIANT.id}']")
        look.page.wait_for_url(f"**{VARIANT.id}")
        assert look.page.locator(f"[id='{VARIANT.id}']").is_visible()
        assert look.faults == []
        assert {request.removeprefix(address).partition("/")[0] for request in look.requests} == {""}


@pytest.mark.parametrize(
    ("arguments", "said"), [(["none"], "there is no none"), (["--port", "99999"], "port 99999 of")]
)
def test_what_cannot_be_served_is_said(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "baselines").mkdir()
    assert main(["serve", *arguments]) == 2
    assert said in capsys.readouterr().err
