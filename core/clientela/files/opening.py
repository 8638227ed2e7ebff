"""The file of a record, for whoever may read that record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clientela.errors import NotFound
from clientela.i18n.texts import _
from clientela.query import readable_names

if TYPE_CHECKING:
    from clientela.context import Context
    from clientela.entity import EntityInfo


def file_of(
    ctx: Context, info: EntityInfo, key: str, field: str, *, trashed: bool | None = False
) -> dict[str, Any]:
    """Give the description of the file in a field of a record; its bytes are asked of `app.files` by its sha256."""
    ctx.require(info.permission("read"))
    value = ctx.get(info.cls, key, trashed=trashed).get(field)
    if value is None or field not in readable_names(ctx, info):
        raise NotFound(_("This {noun} has no file there.", noun=info.noun))
    return value  # type: ignore[no-any-return]
