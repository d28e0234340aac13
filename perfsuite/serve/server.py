"""The standard library's HTTP server, of several threads, that says nothing of what goes well."""

from __future__ import annotations

import sys
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

if TYPE_CHECKING:
    from perfsuite.serve.app import App


class LocalServer(ThreadingMixIn, WSGIServer):
    """A browser keeps connections open, and asks for several pages at once."""

    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: Any = "-", size: Any = "-") -> None:
        if str(code)[:1] in "45":
            print(f"{self.command} {self.path!r}: {code}", file=sys.stderr)


def local_server(host: str, port: int, app: App) -> WSGIServer:
    """Listens already; OSError or OverflowError if the port cannot be had."""
    return make_server(host, port, app, server_class=LocalServer, handler_class=_Quiet)
