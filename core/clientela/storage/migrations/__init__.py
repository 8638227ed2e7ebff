"""Migrations: every plugin brings the revisions of its own tables and has its own version table.

A plugin's revisions are plain Alembic files in `<import package>/migrations/versions/NNNN_slug.py`, in one line without
branches; there is no ini file and no env.py. Their order across plugins is the order of `app.plugins`. Each plugin is
migrated in one transaction on either database, fenced to the tables that begin with its name, and another plugin's
failure, or the package that is gone, does not touch it.

The core's own first revision is written by the machine. Until the first release, after a change of the core's tables,
write it anew from nothing:

    python -m clientela.storage.migrations
"""

from clientela.storage.migrations.compare import drift
from clientela.storage.migrations.fence import OutsideFence
from clientela.storage.migrations.generate import generate
from clientela.storage.migrations.runner import MigrationFailed, downgrade, upgrade
from clientela.storage.migrations.state import MigrationState, ledger, pending, status

__all__ = [
    "MigrationFailed",
    "MigrationState",
    "OutsideFence",
    "downgrade",
    "drift",
    "generate",
    "ledger",
    "pending",
    "status",
    "upgrade",
]
