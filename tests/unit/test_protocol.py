"""Lines over a real socket pair, however the kernel cuts them."""

import socket
from collections.abc import Iterator

import pytest

from perfsuite.worker.protocol import Closed, Line


@pytest.fixture
def ends() -> Iterator[tuple[Line, socket.socket]]:
    """A line, and the bare other end of its socket."""
    ours, theirs = socket.socketpair()
    ours.settimeout(60)  # a test that would hang fails instead
    with ours, theirs:
        yield Line(ours), theirs


def test_what_is_sent_is_received() -> None:
    ours, theirs = socket.socketpair()
    message = {"do": "time", "duration_s": 0.1, "names": ["a\nb", "ü"], "nothing": None}
    with ours, theirs:
        theirs.settimeout(60)
        Line(ours).send(message)
        assert Line(theirs).receive() == message


def test_a_message_longer_than_one_read(ends: tuple[Line, socket.socket]) -> None:
    line, other = ends
    latencies_ns = list(range(12_000))
    Line(other).send({"latencies_ns": latencies_ns})
    assert line.receive() == {"latencies_ns": latencies_ns}


def test_two_messages_in_one_packet(ends: tuple[Line, socket.socket]) -> None:
    line, other = ends
    other.sendall(b'{"a": 1}\n{"b": 2}\n{"c"')
    assert [line.receive(), line.receive()] == [{"a": 1}, {"b": 2}]
    other.sendall(b": 3}\n")
    assert line.receive() == {"c": 3}


def test_half_a_message_is_waited_for_and_not_lost(ends: tuple[Line, socket.socket]) -> None:
    line, other = ends
    line.socket.settimeout(0.01)
    other.sendall(b'{"a"')
    with pytest.raises(TimeoutError):
        line.receive()
    other.sendall(b": 1}\n")
    assert line.receive() == {"a": 1}


@pytest.mark.parametrize("last_words", [b"", b'{"half": '])
def test_hanging_up_is_closed(ends: tuple[Line, socket.socket], last_words: bytes) -> None:
    line, other = ends
    other.sendall(b'{"whole": 1}\n' + last_words)
    other.close()
    assert line.receive() == {"whole": 1}
    with pytest.raises(Closed):
        line.receive()


@pytest.mark.parametrize("garbage", [b"Segmentation fault\n", b"\n", b"\xff\xfe\n", b'{"half": \n'])
def test_garbage_is_a_value_error_and_costs_one_line(ends: tuple[Line, socket.socket], garbage: bytes) -> None:
    line, other = ends
    other.sendall(garbage + b'{"a": 1}\n')
    with pytest.raises(ValueError, match=r"Expecting|decode"):
        line.receive()
    assert line.receive() == {"a": 1}
