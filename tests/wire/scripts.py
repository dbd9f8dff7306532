"""What a scripted server does with a connection: send, close, reset, refuse, begin an answer."""

from __future__ import annotations

import json
import socket

from tests.bedrock import by_hand
from tests.bedrock.scripted_server import Request, Script, reset
from tests.support.tcp import wait_until_read


def sends(*pieces: bytes) -> Script:
    """Send and keep the connection."""

    def script(connection: socket.socket, request: Request) -> None:
        for piece in pieces:
            connection.sendall(piece)

    return script


def closes(*pieces: bytes) -> Script:
    """Send, then close."""

    def script(connection: socket.socket, request: Request) -> None:
        sends(*pieces)(connection, request)
        connection.close()

    return script


def resets(*pieces: bytes) -> Script:
    """Send, let it be read, then reset."""

    def script(connection: socket.socket, request: Request) -> None:
        sends(*pieces)(connection, request)
        wait_until_read(connection)  # an RST throws away what has not been read
        reset(connection)

    return script


def aws_error(status: str, code: str, message: str) -> bytes:
    body = json.dumps({"message": message}).encode()
    return by_hand.counted(body, status, x_amzn_ErrorType=f"{code}:http://internal.amazon.com/coral/", x_amzn_RequestId="r1")


def refuses(status: str, code: str, message: str) -> Script:
    """Answer with an AWS error."""
    return sends(aws_error(status, code, message))


def begun(*frames: bytes) -> bytes:
    return by_hand.stream_head() + b"".join(by_hand.chunk(frame) for frame in (by_hand.START, by_hand.text("One"), *frames))


def streams(*frames: bytes) -> Script:
    """A begun answer, these frames, and the last chunk."""
    return sends(begun(*frames) + by_hand.LAST_CHUNK)


def broken(frame: bytes) -> bytes:
    return frame[:-1] + bytes([frame[-1] ^ 1])
