"""Members of websockets that are not in its documentation, and that the server uses."""

from __future__ import annotations

from websockets.frames import Frame, Opcode
from websockets.server import ServerProtocol


def test_buffer() -> None:
    """`reader.buffer` holds the bytes that are read and not parsed yet."""
    protocol = ServerProtocol()
    protocol.receive_data(b"GET / HTTP/1.1\r\nHost: here")

    assert bytes(protocol.reader.buffer) == b"Host: here"


def test_data_to_send() -> None:
    """`data_to_send` is a list of what waits to be sent."""
    protocol = ServerProtocol()

    assert protocol.data_to_send() == []


def test_frame() -> None:
    """A frame knows its kind, its bytes, and whether it is the last of its message."""
    frame = Frame(Opcode.CONT, b"text", fin=False)

    assert (frame.opcode, frame.data, frame.fin) == (Opcode.CONT, b"text", False)
