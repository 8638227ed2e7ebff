"""What contacts has released is what it declares."""

from __future__ import annotations

from pathlib import Path

from clientela.storage import migrations
from clientela_contacts import plugin
from clientela_sdk import App


def test_the_revisions_lead_to_what_is_declared_and_back(tmp_path: Path) -> None:
    app = App(f"sqlite:///{tmp_path / 'empty.sqlite3'}", plugins=[plugin])
    migrations.upgrade(app)

    assert migrations.drift(app) == []

    migrations.downgrade(app, "contacts")
    migrations.upgrade(app)
    assert migrations.drift(app) == []
    app.close()
