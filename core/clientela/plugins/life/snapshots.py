"""A copy of the database before it is changed: how it is made, where it lies, and the way back to it."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import create_engine

from clientela.errors import Conflict, Misconfigured, NotFound
from clientela.i18n.texts import _

if TYPE_CHECKING:
    from clientela.app import App

NOTHING = _("No snapshot is needed.")


def policy_of(app: App) -> str:
    """Say which snapshot will be taken."""
    if app.db.in_memory:
        return _("No snapshot: the database lives in memory.")
    if app.db.is_sqlite:
        return _("The database is copied to a file in {folder}.", folder=folder_of(app))
    how = app.settings.postgres_snapshot
    if how == "template":
        return _("The database is copied to another one on the same server.")
    if how == "none":
        return _("No snapshot: postgres_snapshot is none; make a backup of your own.")
    if shutil.which("pg_dump") is None:
        return _("No snapshot: pg_dump is not installed; make a backup of your own.")
    return _("pg_dump writes the database to a file in {folder}.", folder=folder_of(app))


def folder_of(app: App) -> Path:
    """Give the folder of the snapshots."""
    return app.settings.folder / "snapshots"


def take(app: App, name: str, at: datetime) -> str:
    """Take the snapshot that the policy says and give its place, or nothing where none is taken."""
    stem = f"{at:%Y%m%dT%H%M%S%f}-{name}"
    if app.db.in_memory:
        return ""
    if app.db.is_sqlite:
        return _to_file(app, folder_of(app) / f"{stem}.sqlite3", _vacuum)
    how = app.settings.postgres_snapshot
    if how == "template":
        # PostgreSQL cuts a name after 63 bytes.
        return _template(app, f"{app.db.url.database:.20}_{stem}".lower()[:63])
    if how == "none" or shutil.which("pg_dump") is None:
        return ""
    return _to_file(app, folder_of(app) / f"{stem}.dump", _dump)


def _to_file(app: App, path: Path, write: Callable[[App, Path], None]) -> str:
    """Write beside the place and rename, so that what bears the name is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.parent.chmod(0o700)
    part = path.with_name(path.name + ".part")
    for left in path.parent.glob("*.part"):
        left.unlink()
    write(app, part)
    with part.open("rb") as made:
        os.fsync(made.fileno())
    part.replace(path)
    return str(path)


def _vacuum(app: App, part: Path) -> None:
    with app.db.read() as connection:
        connection.exec_driver_sql("VACUUM INTO ?", (str(part),))


def _dump(app: App, part: Path) -> None:
    url = app.db.url
    address = url.set(drivername="postgresql", password=None).render_as_string()
    command = ["pg_dump", "--format=custom", f"--file={part}", f"--dbname={address}"]
    # The password must not show in the list of processes.
    secret = {"PGPASSWORD": url.password} if url.password else {}
    done = subprocess.run(  # noqa: S603 - our own words
        command, env=os.environ | secret, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Misconfigured(
            _(
                "pg_dump could not make the snapshot, so nothing was changed: {reason}",
                reason=" ".join(done.stderr.split())[:300],
            ),
            extra={
                "fix": _('postgres_snapshot = "none" in clientela.toml, after a backup of your own')
            },
        )


def _template(app: App, copy: str) -> str:
    """Copy the database on its server; nobody else may be connected meanwhile."""
    app.db.dispose()
    server = create_engine(app.db.url.set(database="postgres"), isolation_level="AUTOCOMMIT")
    quote = server.dialect.identifier_preparer.quote
    statement = " ".join(
        ["CREATE DATABASE", quote(copy), "TEMPLATE", quote(app.db.url.database or "")]
    )
    try:
        with server.connect() as connection:
            connection.exec_driver_sql(statement)
    except Exception as wrong:
        reason = " ".join(str(getattr(wrong, "orig", wrong)).split())[:300]
        raise Conflict(
            _(
                "The database could not be copied, so nothing was changed: {reason} Stop what is serving.",
                reason=reason,
            )
        ) from wrong
    finally:
        server.dispose()
    return copy


def way_back(app: App, place: str) -> str:
    """Give the command that goes back to a snapshot, or nothing where there is none."""
    if not place:
        return ""
    if app.db.is_sqlite:
        return "clientela plugin apply --restore"
    name = app.db.url.database
    if app.settings.postgres_snapshot == "template":
        renaming = f'ALTER DATABASE "{place}" RENAME TO "{name}"'
        return f"dropdb {name} && psql -d postgres -c '{renaming}'"
    return f"dropdb {name} && createdb {name} && pg_restore -d {name} {place}"


def restore(app: App, place: str) -> None:
    """Put the database back to what it was when the snapshot was taken; PostgreSQL's own tools do it there."""
    if not place or not Path(place).is_file():
        raise NotFound(_("There is no snapshot {place}.", place=place or "—"))
    if not app.db.is_sqlite:
        raise Conflict(
            _("On PostgreSQL its own tools go back: {command}", command=way_back(app, place))
        )
    app.db.dispose()
    # In one transaction of the target: whoever looks sees all of it or nothing.
    with (
        closing(sqlite3.connect(place)) as source,
        closing(sqlite3.connect(app.db.url.database or "")) as target,
    ):
        source.backup(target)
