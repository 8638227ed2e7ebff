"""The typed settings of plugins: `[plugins.NAME] config`, with secrets by reference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, SecretBytes, SecretStr, ValidationError

from clientela.errors import FieldProblem, Misconfigured, did_you_mean
from clientela.i18n.texts import _
from clientela.plugins.card import Plugin
from clientela.plugins.policies import FILE, Policy
from clientela.settings import read_secret, said


class NeedsSettings(Misconfigured):
    """A plugin cannot work with the settings it was given."""

    code = "needs-settings"
    title = _("A plugin needs settings")


def settings_of(card: Plugin, policy: Policy) -> BaseModel | None:
    """Read a plugin's settings; all that is wrong with them is told at once."""
    if card.settings is None:
        if policy.config:
            raise NeedsSettings(_("The plugin {plugin} takes no settings.", plugin=card.name))
        return None
    values, problems = _resolved(card.name, card.settings, policy.config)
    if not problems:
        try:
            return card.settings(**values)
        except ValidationError as wrong:
            problems = [
                FieldProblem("/" + "/".join(map(str, e["loc"])), str(e["type"]), said(e["msg"]))
                for e in wrong.errors(include_url=False, include_context=False, include_input=False)
            ]
    raise NeedsSettings(
        _(
            "The settings of {plugin} cannot be taken: {problems}.",
            plugin=card.name,
            problems="; ".join(f"{p.pointer.lstrip('/')}: {p.detail}" for p in problems),
        ),
        problems,
        extra={"fix": _("write [plugins.{plugin}] config in {file}", plugin=card.name, file=FILE)},
    )


def _resolved(
    plugin: str, model: type[BaseModel], config: Mapping[str, Any]
) -> tuple[dict[str, Any], list[FieldProblem]]:
    """Put what is referred to in the place of the reference."""
    values: dict[str, Any] = {}
    problems: list[FieldProblem] = []
    for name, value in config.items():
        try:
            values[name] = _value(model, name, value, f"{FILE}: plugins.{plugin}")
        except Misconfigured as wrong:
            problems.append(FieldProblem(f"/{name}", "bad-setting", wrong.detail.rstrip(".")))
    return values, problems


def _value(model: type[BaseModel], name: str, value: Any, where: str) -> Any:
    field = model.model_fields.get(name)
    if field is None:
        raise Misconfigured(_("there is no such setting.") + did_you_mean(name, model.model_fields))
    referred = read_secret(value, where) if isinstance(value, dict) else None
    if referred is None and is_secret(field.annotation):
        raise Misconfigured(
            _("the secret {name} is written {{ env = … }} or {{ file = … }}.", name=name)
        )
    return value if referred is None else referred


def is_secret(annotation: Any) -> bool:
    """Say whether a setting is a secret, optional or not."""
    kinds = (annotation, *getattr(annotation, "__args__", ()))
    return any(kind in (SecretStr, SecretBytes) for kind in kinds)
