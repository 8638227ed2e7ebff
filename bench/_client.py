"""A lean HTTP client: raw sockets, keep-alive, a few connections that are filled and emptied in turn."""

from __future__ import annotations

import socket
from collections.abc import Sequence

import orjson

JSON = "Content-Type: application/json\r\n"


def request(method: str, path: str, token: str, body: object = None) -> bytes:
    """Write a request."""
    sent = b"" if body is None else orjson.dumps(body)
    head = f"{method} {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n"
    if body is not None:
        head += f"{JSON}Content-Length: {len(sent)}\r\n"
    return head.encode() + b"\r\n" + sent


class Client:
    """Connections to one server."""

    def __init__(self, port: int, connections: int) -> None:
        self._open = [socket.create_connection(("127.0.0.1", port), 30) for _ in range(connections)]
        for one in self._open:
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, requests: Sequence[bytes], status: int) -> str:
        """Send all, as many at once as there are connections; give the first wrong answer, or nothing."""
        wrong = ""
        width = len(self._open)
        for start in range(0, len(requests), width):
            together = list(zip(self._open, requests[start : start + width], strict=False))
            for connection, one in together:
                connection.sendall(one)
            for connection, _ in together:
                got, body = _answer(connection)
                if got != status and not wrong:
                    wrong = f"{got} {body[:300].decode(errors='replace')}"
        return wrong

    def body(self, one: bytes) -> bytes:
        """Send one request and give the body of its answer."""
        self._open[0].sendall(one)
        return _answer(self._open[0])[1]

    def close(self) -> None:
        """Hang up."""
        for one in self._open:
            one.close()


def _answer(connection: socket.socket) -> tuple[int, bytes]:
    data = connection.recv(262_144)
    while (end := data.find(b"\r\n\r\n")) < 0:
        data = _more(connection, data)
    head = data[:end].lower()
    at = head.find(b"content-length:")
    length = 0 if at < 0 else int(head[at + 15 :].split(b"\r\n", 1)[0])
    while len(data) < end + 4 + length:
        data = _more(connection, data)
    return int(head[9:12]), data[end + 4 :]


def _more(connection: socket.socket, data: bytes) -> bytes:
    more = connection.recv(262_144)
    if not more:
        raise ConnectionError("The server hung up.")
    return data + more
