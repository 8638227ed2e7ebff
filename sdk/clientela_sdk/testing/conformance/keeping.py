"""Rules about the end: nothing is left of what was purged, and what was kept or exported comes back."""

from __future__ import annotations

from collections.abc import Iterator

from clientela.plugins import life
from clientela.storage import migrations
from clientela_sdk import App, _
from clientela_sdk.testing.conformance.kit import rule
from clientela_sdk.testing.conformance.subject import Subject


@rule("purge", "silver", _("A purge leaves nothing of it, and nobody else changed."))
def purge(subject: Subject) -> Iterator[str]:
    """Purge it with records, facts, changes and words of the search in the database."""
    if not subject.has_tables:
        return
    with subject.filled() as app:
        subject.must_have_rows(app)
        life.apply(app, life.plan_remove(app, subject.name, "purge"))
        yield from life.residue(app, subject.name)
        with subject.app(_url(app), subject.needed) as without:
            yield from migrations.drift(without)


@rule("keep", "silver", _("What was removed with its data kept goes on with them."))
def keep(subject: Subject) -> Iterator[str]:
    """Remove it, install it again, and compare every row."""
    if not subject.has_tables:
        return
    with subject.filled() as app:
        subject.must_have_rows(app)
        before = subject.dump(app)
        life.apply(app, life.plan_remove(app, subject.name, "keep"))
        life.apply(app, life.plan_add(app, subject.name))
        yield from _changed(before, subject.dump(app))


@rule("export", "gold", _("What was removed into an archive comes back from it."))
def export(subject: Subject) -> Iterator[str]:
    """Remove it into an archive, install it again from there, and compare every row."""
    if not subject.has_tables:
        return
    with subject.filled() as app:
        subject.must_have_rows(app)
        before = subject.dump(app)
        archive = str(subject.place / f"{subject.name}.zip")
        life.apply(app, life.plan_remove(app, subject.name, "export", archive))
        life.apply(app, life.plan_add(app, subject.name, archive))
        yield from _changed(before, subject.dump(app))


def _changed(before: dict[str, list[str]], after: dict[str, list[str]]) -> Iterator[str]:
    for table, rows in before.items():
        if after[table] != rows:
            yield _(
                "The rows of {table} are others than before: {before} then, {after} now.",
                table=table,
                before=len(rows),
                after=len(after[table]),
            )


def _url(app: App) -> str:
    return app.db.url.render_as_string(hide_password=False)
