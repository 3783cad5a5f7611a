"""What paho writes leaves in one piece, and what comes is read ahead without losing any."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from edge_app.delivery.batched import PIECE, BatchedSocket
from edge_app.delivery.wake import Wake


@pytest.fixture
def peer() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


@pytest.fixture
def ends(peer: socket.socket) -> Iterator[tuple[BatchedSocket, socket.socket]]:
    ours = BatchedSocket(socket.create_connection(peer.getsockname()))
    ours.setblocking(False)
    theirs, _ = peer.accept()
    theirs.settimeout(5.0)
    yield ours, theirs
    ours.close()
    theirs.close()


@pytest.fixture
def wake() -> Iterator[Wake]:
    made = Wake()
    yield made
    made.close()


Ends = tuple[BatchedSocket, socket.socket]


def test_nothing_is_sent_before_the_wait(ends: Ends, wake: Wake) -> None:
    ours, theirs = ends
    assert ours.send(b"one") == 3
    assert ours.send(bytearray(b"two")) == 3
    theirs.setblocking(False)
    with pytest.raises(BlockingIOError):
        theirs.recv(10)
    assert not ours.wait(0.0, wake.fileno())
    theirs.settimeout(5.0)
    assert theirs.recv(10) == b"onetwo"


def test_closing_sends_what_was_kept(ends: Ends) -> None:
    ours, theirs = ends
    ours.send(b"good-bye")
    ours.close()
    assert theirs.recv(10) == b"good-bye"
    assert theirs.recv(10) == b""


def test_what_was_read_ahead_is_no_reason_to_wait(ends: Ends, wake: Wake) -> None:
    ours, theirs = ends
    theirs.sendall(b"abcdef")
    assert ours.wait(5.0, wake.fileno())
    assert ours.recv(1) == b"a"
    assert ours.pending() == 5
    assert ours.wait(60.0, wake.fileno())
    assert [ours.recv(2), ours.recv(9)] == [b"bc", b"def"]
    with pytest.raises(BlockingIOError):
        ours.recv(1)


def test_more_than_a_piece_arrives_whole(ends: Ends, wake: Wake) -> None:
    ours, theirs = ends
    sent = bytes(range(256)) * (3 * PIECE // 256)
    theirs.sendall(sent)
    got = b""
    while len(got) < len(sent):
        assert ours.wait(5.0, wake.fileno())
        got += ours.recv(1000)
    assert got == sent


def test_a_peer_that_reads_slowly_gets_everything_in_order(ends: Ends, wake: Wake) -> None:
    ours, theirs = ends
    sent = b"".join(n.to_bytes(4, "big") for n in range(4_000_000))
    ours.send(sent)
    got = bytearray()
    while len(got) < len(sent):
        ours.wait(0.0, wake.fileno())
        got += theirs.recv(1 << 20)
    assert got == sent


def test_a_wake_up_ends_the_wait(ends: Ends, wake: Wake) -> None:
    wake.set()
    assert not ends[0].wait(60.0, wake.fileno())


def test_the_end_of_the_connection_is_told(ends: Ends, wake: Wake) -> None:
    ours, theirs = ends
    theirs.sendall(b"last")
    theirs.close()
    assert ours.wait(5.0, wake.fileno())
    assert ours.recv(9) == b"last"
    assert ours.wait(5.0, wake.fileno())
    assert ours.recv(9) == b""


def test_a_broken_connection_raises_at_the_wait(ends: Ends, wake: Wake) -> None:
    ours, theirs = ends
    theirs.close()
    ours.send(b"more")
    ours.wait(0.0, wake.fileno())
    assert ours.wait(5.0, wake.fileno())  # the answer is a reset
    ours.send(b"more")
    with pytest.raises(ConnectionError):
        ours.wait(0.0, wake.fileno())
    ours.close()
    assert ours.fileno() == -1
