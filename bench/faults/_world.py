"""Deployments to be hurt: made once, copied for every probe, and told in a form that two of them can be compared by."""

from __future__ import annotations

import io
import os
import pickle
import shutil
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

from sqlalchemy import insert

from clientela import ids
from clientela.access.entities import Token
from clientela.access.principal import SYSTEM
from clientela.access.seed import seed_roles
from clientela.access.tokens import SHOWN, digest, new_token
from clientela.app import App
from clientela.clock import wall_clock
from clientela.exchange.keeping import keep_file
from clientela.files.uploads import write_receipt
from clientela.rest.call import Call, Reply
from clientela.rest.dispatch import Dispatcher
from clientela.settings import Settings
from clientela_sdk.testing.postgres import create_database, drop_database, postgres_url

T = TypeVar("T")

DATABASE = "clientela.sqlite3"


@dataclass(frozen=True)
class World:
    """A folder with its database, a token of an administrator, and what the operation is about."""

    folder: Path
    url: str
    token: str = ""
    subject: str = ""

    def app(self) -> App:
        """Open it, with nothing but the core."""
        return App(self.url, plugins=[], settings=Settings(folder=self.folder, pool_size=4))

    @property
    def is_sqlite(self) -> bool:
        """Say which of the two it is."""
        return self.url.startswith("sqlite")


class Worlds:
    """Makes worlds below a folder, and copies them."""

    def __init__(self, folder: Path, *, postgres: bool = False) -> None:
        self._folder = folder
        self._server = postgres_url() if postgres else None
        self._names: list[str] = []

    def template(self, prepare: Callable[[World, App], str]) -> World:
        """Make a world with its tables, roles and token, and let the operation prepare it."""
        empty = self._new(None)
        return in_child(lambda: _filled(empty, prepare))

    def copy(self, template: World, into: Path | None = None) -> World:
        """Copy a world that nobody has open."""
        made = self._new(template, into)
        return replace(template, folder=made.folder, url=made.url)

    def drop(self, world: World) -> None:
        """Forget a world."""
        shutil.rmtree(world.folder, ignore_errors=True)
        if self._server is not None:
            drop_database(self._server, self._names.pop())

    def close(self) -> None:
        """Drop the databases that are left."""
        while self._server is not None and self._names:
            drop_database(self._server, self._names.pop())

    def _new(self, template: World | None, into: Path | None = None) -> World:
        folder = into or self._folder / uuid4().hex[:12]
        if template is None:
            folder.mkdir(parents=True)
        else:
            shutil.copytree(template.folder, folder, dirs_exist_ok=into is not None)
        if self._server is None:
            return World(folder, f"sqlite:///{folder / DATABASE}")
        name = f"faults_{uuid4().hex[:12]}"
        source = None if template is None else template.url.rpartition("/")[2].partition("?")[0]
        url = create_database(self._server, name, source)
        self._names.append(name)
        return World(folder, url)


def _filled(world: World, prepare: Callable[[World, App], str]) -> World:
    app = world.app()
    app.create_all()
    seed_roles(app)
    made = replace(world, token=_token(app))
    made = replace(made, subject=prepare(made, app))
    app.close()
    return made


def _token(app: App) -> str:
    secret, now = new_token(), wall_clock()
    row = {
        "id": ids.new_key(), "rev": 1, "created_at": now, "created_by": "faults", "updated_at": now,
        "updated_by": "faults", "custom": {}, "name": "faults", "start": secret[:SHOWN], "digest": digest(secret),
        "roles": ["administrator"],
    }  # fmt: skip
    with app.db.write() as connection:
        connection.execute(insert(Token.info.table), row)
    return secret


def ask(
    world: World, app: App, method: str, path: str, body: bytes = b"{}", key: str | None = None
) -> Reply:
    """Send a call to the dispatcher of REST, the way the rim does."""
    headers = {
        b"authorization": f"Bearer {world.token}".encode(),
        b"content-type": b"application/json",
    }
    if key is not None:
        headers[b"idempotency-key"] = key.encode()
    return Dispatcher(app).answer(Call(method, f"/api/v1/{path}", b"", headers, body, "faults"))


def new_import(app: App, data: bytes, name: str = "people.csv", **options: Any) -> str:
    """Keep a file, and make an import of customers of it."""
    kept = keep_file(app, io.BytesIO(data), name)
    create = app.registry.action("core.import.create")
    values = {"entity": "core.customer", "file": kept, "options": options}
    with app.acting_as(SYSTEM, face="faults") as ctx:
        write_receipt(ctx, kept)
        return str(ctx.run(create, data=values).id)


def act(app: App, verb: str, key: str, data: Any = None) -> None:
    """Do one of the actions of an import."""
    with app.acting_as(SYSTEM, face="faults") as ctx:
        ctx.run(app.registry.action(f"core.import.{verb}"), key, data)


def in_child(work: Callable[[], T]) -> T:
    """Do something in a process of its own that ends with it: neither side ever shares an open database."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        with os.fdopen(writing, "wb") as out:
            out.write(pickle.dumps(_tried(work)))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as source:
        sent = source.read()
    os.waitpid(pid, 0)
    if not sent:
        raise RuntimeError("the child died")
    value, wrong = pickle.loads(sent)
    if wrong:
        sys.stderr.write(wrong)
        raise RuntimeError("the child failed")
    return value  # type: ignore[no-any-return]


def _tried(work: Callable[[], Any]) -> tuple[Any, str]:
    try:
        return work(), ""
    except Exception:  # noqa: BLE001 - whatever it was, the parent is told
        return None, traceback.format_exc()
