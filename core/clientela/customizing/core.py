"""The parts of the core."""

from clientela.access.entities import Role
from clientela.custom.entities import CustomField
from clientela.customizing.parts import part_of
from clientela.exchange.entities import ImportTemplate
from clientela.views.entities import SavedView

PARTS = [
    # First: roles and views may name them.
    part_of(
        "fields", CustomField, ("entity", "name"),
        (
            "kind", "options", "label", "label_ru", "help", "help_ru", "required", "unique", "default", "filter",
            "search", "field_class", "position", "hidden",
        ),
    ),
    part_of("roles", Role, ("name",), ("about", "permissions", "scopes", "hidden_classes")),
    part_of("import_templates", ImportTemplate, ("name",), ("entity", "options")),
    part_of(
        "views", SavedView, ("entity", "name"),
        (
            "label", "description", "filter", "sort", "columns", "expand", "layout", "options", "sharing", "team",
            "position", "pinned",
        ),
        # What people keep for themselves moves with the records, in an archive.
        SavedView.info.table.c.sharing != "mine",
    ),
]  # fmt: skip
