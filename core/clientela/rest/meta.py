"""What this deployment is made of, for programs: plugins, entities, fields, actions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clientela.rest.call import Call, Reply, json_reply
from clientela.views.layouts import schemas

if TYPE_CHECKING:
    from clientela.actions import Action
    from clientela.context import Context
    from clientela.entity import EntityInfo


def describe(ctx: Context, call: Call) -> Reply:
    """GET meta: what this principal can see of the composition."""
    call.allow(frozenset())
    registry = ctx.app.registry
    entities = [
        _entity(ctx, e) for e in registry.entities.values() if ctx.can(e.permission("read"))
    ]
    return json_reply(
        {
            "plugins": [
                {"name": p.name, "title": ctx.text(p.title), "about": ctx.text(p.about)}
                for p in registry.plugins.values()
            ],
            "entities": entities,
            "layouts": schemas(),
            "actions": [
                _action(ctx, a) for a in registry.actions.values() if ctx.can(a.permission)
            ],
        }
    )


def _entity(ctx: Context, info: EntityInfo) -> dict[str, Any]:
    masked = ctx.principal.hidden_classes
    return {
        "name": info.name, "label": ctx.text(info.label), "about": ctx.text(info.about), "prefix": info.prefix,
        "path": f"/api/v1/{info.plugin}/{info.collection}", "verbs": sorted(info.verbs),
        "fields": [
            {
                "name": f.name, "label": ctx.text(f.label), "kind": f.kind.name, "required": f.required,
                "help": ctx.text(f.help),
                "optional": f.optional, "read_only": f.read_only, "class": f.field_class,
                "operators": sorted(f.kind.operators) if f.filterable else [], "sortable": f.kind.sortable,
                "refers_to": f.target.name if f.target else None, "schema": f.kind.json_schema(),
            }
            for f in info.visible.values()
            if f.field_class not in masked
        ],
    }  # fmt: skip


def _action(ctx: Context, action: Action) -> dict[str, Any]:
    return {
        "name": action.name, "label": ctx.text(action.label), "about": ctx.text(action.about), "effect": action.effect,
        "undo": action.undo, "permission": action.permission,
        "on": action.on.info.name if action.on else None,
    }  # fmt: skip
