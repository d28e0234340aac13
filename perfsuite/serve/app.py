"""The WSGI application: addresses -> pages. It answers GET and HEAD alone, to whoever asks for this machine by name."""

from __future__ import annotations

import re
import sys
import traceback
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from perfsuite.errors import HistoryError
from perfsuite.serve.pages import Pages, overview_html, variant_history_html
from perfsuite.serve.shelf import Library

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

#: By what names this machine is asked for: a page elsewhere whose own name leads here (DNS rebinding) is refused.
LOCAL = ("127.0.0.1", "localhost", "[::1]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is sent; a page, or a line of plain text."""

    status: HTTPStatus
    text: str

    @property
    def content_type(self) -> str:
        return f"text/{'html' if self.status is HTTPStatus.OK else 'plain'}; charset=utf-8"


class App:
    """One server's; several threads may ask at once."""

    def __init__(self, library: Library, pages: Pages) -> None:
        self._library = library
        self._pages = pages

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            answer = self._answer(environ)
        except HistoryError as error:
            answer = _plain(HTTPStatus.SERVICE_UNAVAILABLE, str(error))
        except Exception:
            traceback.print_exc(file=sys.stderr)
            answer = _plain(HTTPStatus.INTERNAL_SERVER_ERROR, "perfsuite itself failed; its terminal tells how")
        body = answer.text.encode("utf-8", errors="replace")
        headers = [
            ("Content-Type", answer.content_type),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),  # sessions come and go
            ("X-Content-Type-Options", "nosniff"),
            ("X-Frame-Options", "DENY"),
            ("Referrer-Policy", "no-referrer"),
        ]
        start_response(f"{answer.status.value} {answer.status.phrase}", headers)
        return [b""] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    def _answer(self, environ: WSGIEnvironment) -> Answer:
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return _plain(HTTPStatus.METHOD_NOT_ALLOWED, "nothing can be changed here")
        if re.sub(r":\d+$", "", environ.get("HTTP_HOST", "")) not in LOCAL:
            return _plain(HTTPStatus.FORBIDDEN, f"ask for {' or '.join(LOCAL)}")
        # WSGI hands bytes on as latin-1 (PEP 3333).
        path = environ.get("PATH_INFO", "").encode("latin-1").decode("utf-8", errors="replace")
        shelf = self._library.shelf()
        match path.split("/", 3):
            case ["", ""]:
                query = parse_qs(environ.get("QUERY_STRING", ""), errors="replace").get("q", [""])[0]
                return Answer(status=HTTPStatus.OK, text=overview_html(shelf, query))
            case ["", "variants", *rest] if html := variant_history_html(shelf, "/".join(rest)):
                return Answer(status=HTTPStatus.OK, text=html)
            case ["", "sessions", id, *rest] if session := shelf.session(id):
                if not rest:
                    return Answer(status=HTTPStatus.OK, text=self._pages.session_html(shelf, session))
                if html := self._pages.variant_html(shelf, session, rest[0]):
                    return Answer(status=HTTPStatus.OK, text=html)
        return _plain(HTTPStatus.NOT_FOUND, "there is no such session or variant; / lists all")


def _plain(status: HTTPStatus, text: str) -> Answer:
    return Answer(status=status, text=f"{text}\n")
