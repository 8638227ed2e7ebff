"""The ASGI rim: the only place that awaits.

Reads of one record on SQLite are answered on the loop itself, because the hop to a thread costs more than the read;
everything else runs in as many threads as there are database connections.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
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
from clientela.rest.health import health_of

if TYPE_CHECKING:
    from clientela.app import App

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
            reply = await self._reply(call)
        await _send(reply, request_id, send, head=scope["method"] == "HEAD")

    async def _reply(self, call: Call) -> Reply:
        if self._inline and is_short_read(call):
            return self.dispatcher.answer(call)
        return await asyncio.get_running_loop().run_in_executor(
            self._pool, self.dispatcher.answer, call
        )

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


async def _send(reply: Reply, request_id: str, send: Send, *, head: bool) -> None:
    headers = [*SAFETY, (b"x-request-id", request_id.encode())]
    if reply.status not in {204, 304}:
        headers += [
            (b"content-type", reply.media),
            (b"content-length", str(len(reply.body)).encode()),
        ]
    headers += [
        (n.lower().encode(), v.encode("latin-1", "replace")) for n, v in reply.headers.items()
    ]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else reply.body})


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
