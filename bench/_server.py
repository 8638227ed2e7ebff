"""The servers that are measured: ours, and a bare one that does by hand what it answers.

`python bench/_server.py ours|bare --url URL --port PORT [--toys FOLDER --count N]`
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=["ours", "bare"])
    parser.add_argument("--url", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--toys", default="")
    parser.add_argument("--count", type=int, default=0)
    given = parser.parse_args()

    import uvicorn  # noqa: PLC0415 - its import is a part of the start

    application = (
        ours(given.url, given.toys, given.count) if given.kind == "ours" else bare(given.url)
    )
    config = uvicorn.Config(
        application, port=given.port, loop="uvloop", http=_protocol(given.kind), access_log=False,
        lifespan="on", server_header=False, log_level="warning",
        timeout_keep_alive=3600,  # a connection may wait for its turn
    )  # fmt: skip
    uvicorn.Server(config).run()


def _protocol(kind: str) -> Any:
    if kind == "bare":
        return "httptools"
    from clientela.rest.protocol import Protocol  # noqa: PLC0415 - the bare one must not pay for it

    return Protocol


def ours(url: str, toys: str, count: int) -> Any:
    """Give the real thing, with every installed plugin and the toys."""
    from clientela.app import App  # noqa: PLC0415 - as above
    from clientela.rest.asgi import create_asgi  # noqa: PLC0415

    cards = None
    if count:
        from bench._toys import cards_of  # noqa: PLC0415

        from clientela.plugins.loading import installed_cards  # noqa: PLC0415

        cards = [*installed_cards(), *cards_of(toys, count)]
    return create_asgi(App(url, plugins=cards))


def bare(url: str) -> Any:
    """Give the limit behind the same HTTP."""
    from bench._raw import Raw  # noqa: PLC0415
    from starlette.applications import Starlette  # noqa: PLC0415 - as above
    from starlette.requests import Request  # noqa: PLC0415
    from starlette.responses import Response  # noqa: PLC0415
    from starlette.routing import Route  # noqa: PLC0415

    raw = Raw(url)

    async def one(request: Request) -> Response:
        if request.method == "PATCH":
            return _json(raw.patch(request.path_params["key"], await request.body()))
        return _json(raw.get(request.path_params["key"]))

    async def card(request: Request) -> Response:
        return _json(raw.card(request.path_params["key"]))

    async def several(request: Request) -> Response:
        if request.method == "POST":
            return _json(raw.create(await request.body()), 201)
        word = request.query_params.get("q")
        return _json(raw.search(word) if word else raw.list(request.query_params["filter"][-3:-1]))

    async def livez(_request: Request) -> Response:
        return _json(b'{"status":"alive"}')

    def _json(body: bytes, status: int = 200) -> Response:
        return Response(body, status, media_type="application/json")

    base = "/api/v1/core/customers"
    return Starlette(
        routes=[
            Route(f"{base}/{{key}}", one, methods=["GET", "PATCH"]),
            Route(f"{base}/{{key}}/card", card),
            Route(base, several, methods=["GET", "POST"]),
            Route("/livez", livez),
        ]
    )


if __name__ == "__main__":
    main()
