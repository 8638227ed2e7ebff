"""`clientela data export --all` and `import --all`: a whole deployment as one file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from clientela.archive.loading import read_total
from clientela.archive.total import write_total
from clientela.cli.drafts import drafted
from clientela.cli.errors import Failed, Usage
from clientela.cli.output import emit_record
from clientela.i18n import _

if TYPE_CHECKING:
    from clientela.cli.desk import Desk


def export_all(desk: Desk, entity: str | None, out: Path | None) -> None:
    """Write everything, from one moment; the file takes its name only when it is whole."""
    if entity is not None or out is None:
        raise Usage(
            _(
                "The whole deployment is written to a file: clientela data export --all --out FILE.zip"
            )
        )
    with drafted(out) as file:
        manifest = write_total(desk.app, desk.principal, file, progress=_line(desk))
    emit_record(desk, _short(manifest) | {"file": str(out)})


def import_all(desk: Desk, file: Path) -> None:
    """Load everything into this deployment, which must be empty: all of it or nothing."""
    desk.confirm(desk.text("Everything in {file} is loaded into this deployment.", file=file.name))
    try:
        with file.open("rb") as source:
            manifest = read_total(
                desk.app, desk.principal, source, progress=_line(desk), dry_run=desk.dry_run
            )
    except OSError as wrong:
        raise Failed(
            _("{file} cannot be read: {reason}.", file=file, reason=wrong.strerror or wrong)
        ) from wrong
    emit_record(desk, _short(manifest))
    if desk.dry_run:
        desk.say(_("A dry run: nothing was changed."))


def _short(manifest: dict[str, Any]) -> dict[str, Any]:
    """Give what a person wants to compare: the hash of all data, and how many rows."""
    members = manifest["members"]
    rows = sum(told["rows"] for name, told in members.items() if name.startswith("data/"))
    return {
        "data": manifest["data"], "records": rows, "members": len(members),
        "plugins": ", ".join(manifest["plugins"]),
    }  # fmt: skip


def _line(desk: Desk) -> Any:
    """Tell each member, where somebody wants to hear more."""

    def heard(name: str, rows: int) -> None:
        if desk.verbose:
            click.echo(f"{name} {rows:,}", err=True)

    return heard
