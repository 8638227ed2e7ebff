"""The HTTP protocol of the server, with our own words for what never reaches the application."""

from __future__ import annotations

import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from clientela import ids
from clientela.errors import BadSyntax
from clientela.i18n.texts import _


class Protocol(HttpToolsProtocol):
    """uvicorn's protocol; a request that cannot be parsed gets a problem document like every other refusal."""

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP, or an address of more than 64 KiB, and hang up."""
        refusal = BadSyntax(_("This is not an HTTP request, or its address has more than 64 KiB."))
        body = orjson.dumps(refusal.as_problem() | {"request_id": ids.new_key()})
        head = (
            "HTTP/1.1 400 Bad Request\r\n"
            "content-type: application/problem+json\r\n"
            f"content-length: {len(body)}\r\n"
            "connection: close\r\n\r\n"
        )
        self.logger.debug("refused: %s", msg)
        self.transport.write(head.encode() + body)
        self.transport.close()
