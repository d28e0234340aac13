"""The launcher, without a stack."""

import socket

from perfsuite.worker.__main__ import _serve


def test_a_launcher_does_nothing_that_a_dead_run_asked_for() -> None:
    """It was killed while the launcher's interpreter started: importing would take 5 to 25 s."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        ours.send(b"no job")
        ours.close()
        _serve(theirs, set(), preload=True)
