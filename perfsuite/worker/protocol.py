"""The words that perfsuite and its workers exchange: one JSON object a line, over a socket."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What a worker is to hold: one variant, its data, and a planted fault if one is tested."""

    model: str
    model_target: str | None
    backend: str
    mode: str
    precision: str
    workload: str
    assets: str
    photographs: str
    minilm: str
    fault: str | None = None
    artefact: str | None = None
    #: save: prepare and write the artefact; load: read it in place of preparing.
    deployment: str | None = None
    #: Where workers of one model and precision may hand on what calibrating found, as ``Recipe.calibrated``.
    calibrated: str | None = None


#: In the place of a job: the launcher answers when what it was told before is done.
NOTHING = b"{}"


class Closed(Exception):
    """The other end hung up."""


class Line:
    """A socket that carries JSON objects, one a line."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self._buffer = b""

    def send(self, message: dict[str, Any]) -> None:
        self.socket.sendall(json.dumps(message).encode() + b"\n")

    def receive(self) -> Any:
        """The next object; Closed at the end, ValueError on what is not JSON, TimeoutError."""
        while b"\n" not in self._buffer:
            chunk = self.socket.recv(1 << 16)
            if not chunk:
                raise Closed
            self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\n")
        return json.loads(line)
