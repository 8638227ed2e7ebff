"""Idempotency-Key: a retried call has one effect and one answer (IETF draft-ietf-httpapi-idempotency-key-header-07).

The answer is stored in the transaction that has the effect, so a crash leaves both or neither.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select, text
from sqlalchemy import insert as insert_into

from clientela.errors import BadSyntax, Conflict, Invalid
from clientela.i18n.texts import _
from clientela.replies import REPLY
from clientela.rest.call import Call, Reply

if TYPE_CHECKING:
    from clientela.app import App
    from clientela.context import Context

KEPT = timedelta(days=7)
LONGEST = 255


class StillRunning(Conflict):
    """The same call is being carried out right now."""

    code = "still-running"


class KeyReused(Invalid):
    """The key was used for another call."""

    code = "key-reused"


class Once:
    """Carries out a call once per actor and key."""

    def __init__(self) -> None:
        self._running: set[str] = set()
        self._lock = threading.Lock()

    def key_of(self, call: Call, actor: str) -> str | None:
        """Give the stored name of the call's key, or None when it carries none."""
        sent = call.header(b"idempotency-key")
        if sent is None:
            return None
        if not sent or len(sent) > LONGEST or not sent.isprintable():
            raise BadSyntax(
                _("An Idempotency-Key has 1 to {most} printable characters.", most=LONGEST)
            )
        return hashlib.sha256(f"{actor}\n{sent}".encode()).hexdigest()

    @contextmanager
    def running(self, key: str | None) -> Iterator[None]:
        """Refuse a second call of the same key while the first runs in this process."""
        if key is None:
            yield
            return
        with self._lock:
            if key in self._running:
                raise StillRunning(
                    _("A call with this Idempotency-Key is still running."),
                    headers={"Retry-After": "1"},
                )
            self._running.add(key)
        try:
            yield
        finally:
            with self._lock:
                self._running.discard(key)

    def carry_out(
        self, ctx: Context, call: Call, key: str | None, work: Callable[[Context], Reply]
    ) -> Reply:
        """Give the stored answer, or do the work and store its answer beside its effect."""
        kept = self.kept(ctx, call, key)
        if kept is not None:
            return kept
        reply = work(ctx)
        if not ctx.dry_run:
            self.keep(ctx, call, key, reply)
        return reply

    def kept(self, ctx: Context, call: Call, key: str | None) -> Reply | None:
        """Give the stored answer, if there is one."""
        stored = self._stored(ctx, key) if key is not None else None
        return None if stored is None else _replay(stored, _fingerprint(call))

    def keep(self, ctx: Context, call: Call, key: str | None, reply: Reply) -> None:
        """Store an answer in the transaction that has its effect."""
        if key is not None:
            ctx.connection.execute(
                insert_into(REPLY).values(
                    id=key, fingerprint=_fingerprint(call), at=ctx.now, status=reply.status, headers=reply.headers,
                    media=reply.media.decode(), body=reply.body,
                )
            )  # fmt: skip

    def _stored(self, ctx: Context, key: str) -> Any:
        if not ctx.app.db.is_sqlite:
            # Another process may be at the same call; SQLite's writers take turns anyway.
            number = int(key[:15], 16)
            taken = ctx.connection.execute(
                text("SELECT pg_try_advisory_xact_lock(:n)"), {"n": number}
            ).scalar_one()
            if not taken:
                raise StillRunning(
                    _("A call with this Idempotency-Key is still running."),
                    headers={"Retry-After": "1"},
                )
        return ctx.connection.execute(select(REPLY).where(REPLY.c.id == key)).first()


def _fingerprint(call: Call) -> str:
    parts = (
        call.method.encode(),
        call.path.encode("utf-8", "surrogateescape"),
        call.query,
        call.body,
    )
    return hashlib.sha256(b"\n".join(parts)).hexdigest()


def _replay(stored: Any, fingerprint: str) -> Reply:
    if stored.fingerprint != fingerprint:
        raise KeyReused(_("This Idempotency-Key was used for another call; use a fresh one."))
    headers = dict(stored.headers) | {"Idempotency-Replayed": "true"}
    return Reply(stored.status, bytes(stored.body), headers, stored.media.encode())


def forget_old(app: App) -> int:
    """Delete the answers that are older than a phone stays offline."""
    with app.db.write() as connection:
        return connection.execute(delete(REPLY).where(REPLY.c.at < app.clock() - KEPT)).rowcount
