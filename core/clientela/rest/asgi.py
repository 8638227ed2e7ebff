"""The ASGI rim: the only place that awaits.

Reads of one record on SQLite are answered on the loop itself, because the hop to a thread costs more than the read;
everything else runs in as many threads as there are database connections.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from typing import TYPE_CHECKING, Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from clientela import ids
from clientela.errors import MethodNotAllowed, NotFound, Refusal, TooLarge
from clientela.i18n.texts import _
from clientela.rest.batch import MOST_BYTES
from clientela.rest.call import Call, Reply, problem
from clientela.rest.dispatch import PREFIX, Dispatcher, is_short_read

if TYPE_CHECKING:
    from clientela.app import App

# Whoever takes longer for a piece loses the rest, because a connection to the database waits with them.
SLOWEST_PIECE = 60.0
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")

SAFETY = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
)


class Rim:
    """The dispatcher as an ASGI endpoint."""

    def __init__(self, app: App) -> None:
        self._dispatcher = Dispatcher(app)
        self._inline = app.db.is_sqlite
        self._pool = ThreadPoolExecutor(
            max_workers=app.db.pool_size, thread_name_prefix="clientela"
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the call, answer it, send the reply."""
        headers: Mapping[bytes, bytes] = dict(scope["headers"])
        request_id = _request_id(headers)
        try:
            body = await _body(receive, headers)
        except TooLarge as refusal:
            reply = problem(refusal, request_id)
        else:
            path = scope.get("raw_path") or scope["path"].encode("utf-8", "surrogateescape")
            call = Call(
                method=scope["method"],
                path=path.decode("ascii", "replace"),
                query=scope["query_string"],
                headers=headers,
                body=body,
                request_id=request_id,
            )
            reply = await self._reply(call, _Post(send, receive))
            if reply.pieces is not None:
                return
        await _send(reply, request_id, send, head=scope["method"] == "HEAD")

    async def _reply(self, call: Call, post: _Post) -> Reply:
        if self._inline and is_short_read(call):
            return self._dispatcher.answer(call)
        return await asyncio.get_running_loop().run_in_executor(
            self._pool, self._answer, call, post
        )

    def _answer(self, call: Call, post: _Post) -> Reply:
        """Answer; what comes in pieces is sent from this very thread, which holds the transaction."""
        reply = self._dispatcher.answer(call)
        if reply.pieces is not None:
            with closing(reply.pieces):
                post.send_pieces(reply, call)
        return reply

    def close(self) -> None:
        """Let the threads finish."""
        self._pool.shutdown(wait=True)


def _request_id(headers: Mapping[bytes, bytes]) -> str:
    sent = headers.get(b"x-request-id", b"")
    return sent.decode() if _REQUEST_ID.fullmatch(sent) else ids.new_key()


async def _body(receive: Receive, headers: Mapping[bytes, bytes]) -> bytes:
    announced = headers.get(b"content-length", b"0")
    if announced.isdigit() and int(announced) > MOST_BYTES:
        raise TooLarge(_("A body may have {most} bytes.", most=MOST_BYTES))
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > MOST_BYTES:
            raise TooLarge(_("A body may have {most} bytes.", most=MOST_BYTES))
        chunks.append(chunk)
        if not message.get("more_body"):
            return b"".join(chunks)


class _Post:
    """Sends pieces from a worker thread, one at a time, as fast as they are taken."""

    def __init__(self, send: Send, receive: Receive) -> None:
        self._send, self._receive = send, receive
        self._loop = asyncio.get_running_loop()

    def send_pieces(self, reply: Reply, call: Call) -> None:
        """Send the head and the pieces; stop when nobody is there to take them."""
        gone = asyncio.run_coroutine_threadsafe(_disconnected(self._receive), self._loop)
        try:
            self._wait(_begin(reply, call.request_id, self._send))
            for piece in reply.pieces if reply.pieces and call.method != "HEAD" else ():
                if gone.done():
                    return
                if piece:
                    self._wait(
                        self._send({"type": "http.response.body", "body": piece, "more_body": True})
                    )
            self._wait(self._send({"type": "http.response.body", "body": b""}))
        finally:
            gone.cancel()

    def _wait(self, sending: Any) -> None:
        asyncio.run_coroutine_threadsafe(sending, self._loop).result(SLOWEST_PIECE)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _begin(reply: Reply, request_id: str, send: Send) -> None:
    headers = [*SAFETY, (b"x-request-id", request_id.encode()), (b"content-type", reply.media)]
    headers += _own(reply)
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})


def _own(reply: Reply) -> list[tuple[bytes, bytes]]:
    return [(n.lower().encode(), v.encode("latin-1", "replace")) for n, v in reply.headers.items()]


async def _send(reply: Reply, request_id: str, send: Send, *, head: bool) -> None:
    headers = [*SAFETY, (b"x-request-id", request_id.encode())]
    if reply.status not in {204, 304}:
        headers += [
            (b"content-type", reply.media),
            (b"content-length", str(len(reply.body)).encode()),
        ]
    headers += _own(reply)
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else reply.body})


def create_asgi(app: App) -> ASGIApp:
    """Give the ASGI application of an app: REST, liveness and readiness."""
    rim = Rim(app)

    async def livez(_request: Request) -> Response:
        return _plain({"status": "alive"})

    async def readyz(_request: Request) -> Response:
        sentence = await asyncio.get_running_loop().run_in_executor(rim._pool, app.unready)  # noqa: SLF001 - ours
        if sentence:
            return _plain({"status": "not ready", "reason": sentence}, status=503)
        return _plain({"status": "ready"})

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        rim.close()

    async def refuse(request: Request, error: Exception) -> Response:
        status = getattr(error, "status_code", 404)
        refusal: Refusal = NotFound(_("There is nothing at this address."))
        if status == 405:  # noqa: PLR2004 - Method Not Allowed
            refusal = MethodNotAllowed(
                _("This method does not fit here."),
                headers=dict(getattr(error, "headers", None) or {}),
            )
        reply = problem(refusal, _request_id(dict(request.scope["headers"])))
        return Response(reply.body, reply.status, reply.headers, media_type=reply.media.decode())

    return Starlette(
        routes=[
            Route(PREFIX + "{path:path}", rim),
            Route("/livez", livez),
            Route("/readyz", readyz),
        ],
        exception_handlers={404: refuse, 405: refuse},
        lifespan=lifespan,
    )


def _plain(value: Any, *, status: int = 200) -> Response:
    return Response(orjson.dumps(value), status, media_type="application/json")
