"""The ASGI rim: the only place that awaits.

Reads of one record on SQLite are answered on the loop itself, because the hop to a thread costs more than the read;
everything else runs in as many threads as there are database connections.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing, suppress
from typing import TYPE_CHECKING, Any, TypeVar

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
from clientela.rest.dispatch import PREFIX, Dispatcher, is_short_read, is_upload
from clientela.rest.health import health_of
from clientela.rest.streaming import Gone, listening, pieces

if TYPE_CHECKING:
    from clientela.app import App

T = TypeVar("T")

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
        self.dispatcher = Dispatcher(app)
        self._inline = app.db.is_sqlite
        self._pool = ThreadPoolExecutor(
            max_workers=app.db.pool_size, thread_name_prefix="clientela"
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the call, answer it, send the reply."""
        call = _call(scope)
        try:
            if is_upload(call):
                reply = await self._take_in(call, receive)
            else:
                call.body = await _body(receive, call.headers)
                reply = await self._reply(call, _Post(send, receive))
        except TooLarge as refusal:
            reply = problem(refusal, call.request_id)
        except Gone:
            return
        if reply.pieces is None:
            await self._send(reply, call, receive, send)

    async def _take_in(self, call: Call, receive: Receive) -> Reply:
        """Take a file as it comes: whether it is taken is decided first, and no more is read than was written."""
        receiver = None
        try:
            receiver = await self._in_thread(self.dispatcher.receive, call)
            async for piece in pieces(receive):
                await self._in_thread(receiver.write, piece)
            call.body = orjson.dumps(await self._in_thread(receiver.keep))
            call.receiver = receiver
        except Gone:
            raise
        except Exception as error:  # noqa: BLE001 - whoever called gets an answer
            return self.dispatcher.excuse(call, error)
        finally:
            if receiver is not None:
                receiver.discard()
        return await self._in_thread(self.dispatcher.answer, call)

    async def _reply(self, call: Call, post: _Post) -> Reply:
        if self._inline and is_short_read(call):
            return self.dispatcher.answer(call)
        return await self._in_thread(self._answer, call, post)

    def _answer(self, call: Call, post: _Post) -> Reply:
        """Answer; what comes in pieces is sent from this very thread, which holds the transaction."""
        reply = self.dispatcher.answer(call)
        if reply.pieces is not None:
            with closing(reply.pieces):
                post.send_pieces(reply, call)
        return reply

    async def _in_thread(self, work: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work, *arguments)

    async def _send(self, reply: Reply, call: Call, receive: Receive, send: Send) -> None:
        headers = _headers(reply, call.request_id)
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        if reply.stream is None:
            body = b"" if call.method == "HEAD" else reply.body
            await send({"type": "http.response.body", "body": body})
            return
        async with listening(receive) as gone:
            await self._send_stream(reply.stream, gone, send)

    async def _send_stream(
        self, stream: Iterator[bytes], gone: asyncio.Task[None], send: Send
    ) -> None:
        """Fetch a piece when the one before is on its way; a slow reader holds a file open, and no thread."""
        try:
            while not gone.done():
                piece = await self._in_thread(next, stream, b"")
                await send({"type": "http.response.body", "body": piece, "more_body": bool(piece)})
                if not piece:
                    return
        finally:
            with suppress(ValueError):  # a thread may be at it still, and closes it at its end
                getattr(stream, "close", lambda: None)()

    def close(self) -> None:
        """Let the threads finish."""
        self._pool.shutdown(wait=True)


class _Post:
    """Sends pieces from a worker thread, one at a time, as fast as they are taken."""

    def __init__(self, send: Send, receive: Receive) -> None:
        self._send, self._receive = send, receive
        self._loop = asyncio.get_running_loop()

    def send_pieces(self, reply: Reply, call: Call) -> None:
        """Send the head and the pieces; stop when nobody is there to take them."""
        gone = asyncio.run_coroutine_threadsafe(_disconnected(self._receive), self._loop)
        headers = _headers(reply, call.request_id)
        try:
            self._say({"type": "http.response.start", "status": reply.status, "headers": headers})
            for piece in reply.pieces if reply.pieces and call.method != "HEAD" else ():
                if gone.done():
                    return
                if piece:
                    self._say({"type": "http.response.body", "body": piece, "more_body": True})
            self._say({"type": "http.response.body", "body": b""})
        finally:
            gone.cancel()

    def _say(self, message: dict[str, Any]) -> None:
        sending: Any = self._send(message)
        asyncio.run_coroutine_threadsafe(sending, self._loop).result(SLOWEST_PIECE)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _request_id(headers: Mapping[bytes, bytes]) -> str:
    sent = headers.get(b"x-request-id", b"")
    return sent.decode() if _REQUEST_ID.fullmatch(sent) else ids.new_key()


def _call(scope: Scope) -> Call:
    headers: Mapping[bytes, bytes] = dict(scope["headers"])
    path = scope.get("raw_path") or scope["path"].encode("utf-8", "surrogateescape")
    return Call(
        method=scope["method"],
        path=path.decode("ascii", "replace"),
        query=scope["query_string"],
        headers=headers,
        body=b"",
        request_id=_request_id(headers),
    )


async def _body(receive: Receive, headers: Mapping[bytes, bytes]) -> bytes:
    announced = headers.get(b"content-length", b"0")
    if announced.isdigit() and int(announced) > MOST_BYTES:
        raise TooLarge(_("A body may have {most} bytes.", most=MOST_BYTES))
    chunks: list[bytes] = []
    size = 0
    async for chunk in pieces(receive):
        size += len(chunk)
        if size > MOST_BYTES:
            raise TooLarge(_("A body may have {most} bytes.", most=MOST_BYTES))
        chunks.append(chunk)
    return b"".join(chunks)


def _headers(reply: Reply, request_id: str) -> list[tuple[bytes, bytes]]:
    headers = [*SAFETY, (b"x-request-id", request_id.encode())]
    if reply.pieces is not None:
        headers.append((b"content-type", reply.media))
    elif reply.status not in {204, 304}:
        length = len(reply.body) if reply.size is None else reply.size
        headers += [(b"content-type", reply.media), (b"content-length", str(length).encode())]
    return headers + [
        (n.lower().encode(), v.encode("latin-1", "replace")) for n, v in reply.headers.items()
    ]


def create_asgi(app: App) -> ASGIApp:
    """Give the ASGI application of an app: REST, liveness, readiness and health."""
    rim = Rim(app)

    async def livez(_request: Request) -> Response:
        return _plain({"status": "alive"})

    async def readyz(_request: Request) -> Response:
        sentence = await asyncio.get_running_loop().run_in_executor(rim._pool, app.unready)  # noqa: SLF001 - ours
        if sentence:
            return _plain({"status": "not ready", "reason": sentence}, status=503)
        return _plain({"status": "ready"})

    async def health(request: Request) -> Response:
        told, status = await asyncio.get_running_loop().run_in_executor(
            rim._pool,  # noqa: SLF001 - ours
            health_of, rim.dispatcher, request.headers.get("authorization"),
        )  # fmt: skip
        return _plain(told, status=status)

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
            Route("/-/health", health),
        ],
        exception_handlers={404: refuse, 405: refuse},
        lifespan=lifespan,
    )


def _plain(value: Any, *, status: int = 200) -> Response:
    return Response(orjson.dumps(value, default=str), status, media_type="application/json")
