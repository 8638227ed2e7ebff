"""Rules about tables: their names, their revisions, and the way back."""

from __future__ import annotations

from collections.abc import Iterator

from clientela.storage import migrations
from clientela_sdk import _
from clientela_sdk.testing.conformance.kit import rule
from clientela_sdk.testing.conformance.subject import Subject


@rule("tables", "bronze", _("Every table carries the plugin's name."))
def tables(subject: Subject) -> Iterator[str]:
    """Look at the names of its tables."""
    own = [info.table for info in subject.entities] + list(subject.card.tables)
    for table in own:
        if not table.name.startswith(f"{subject.name}_"):
            yield _(
                "The table {table} does not begin with {plugin}_.",
                table=table.name,
                plugin=subject.name,
            )


@rule("fence", "bronze", _("Its revisions run, and touch its own tables alone."))
def fence(subject: Subject) -> Iterator[str]:
    """Migrate an empty database; a revision that leaves its fence is refused there."""
    with subject.empty() as url, subject.app(url) as app:
        migrations.upgrade(app)
        if migrations.pending(app):
            yield _("The tables are not at the newest revision after a migration.")


@rule("schema", "bronze", _("What is declared is what the revisions make."))
def schema(subject: Subject) -> Iterator[str]:
    """Compare the migrated database with the declarations."""
    with subject.empty() as url, subject.app(url) as app:
        migrations.upgrade(app)
        yield from migrations.drift(app)


@rule("round-trip", "silver", _("Its revisions lead up, down and up again with data, on SQLite."))
def round_trip(subject: Subject) -> Iterator[str]:
    """Migrate there and back with records in the tables."""
    yield from _there_and_back(subject, "sqlite")


@rule("round-trip-postgresql", "gold", _("The same on PostgreSQL."), slow=True)
def round_trip_postgresql(subject: Subject) -> Iterator[str]:
    """Migrate there and back with records in the tables, on the production database."""
    yield from _there_and_back(subject, "postgresql")


def _there_and_back(subject: Subject, kind: str) -> Iterator[str]:
    if not subject.has_tables:
        return
    with subject.filled(kind) as app:
        subject.must_have_rows(app)
        yield from migrations.drift(app)
        migrations.downgrade(app, subject.name)
        migrations.upgrade(app)
        yield from migrations.drift(app)
