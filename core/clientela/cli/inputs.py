"""From options to values: the fields of an entity, and the input of an action."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click
import orjson
from pydantic import BaseModel, ValidationError

from clientela import gate
from clientela.cli.desk import Desk
from clientela.cli.groups import common_options, option, write_options
from clientela.errors import BadSyntax, FieldProblem, Invalid, did_you_mean
from clientela.fields import Field
from clientela.i18n.texts import Text, _
from clientela.kinds.choices import ChoiceKind
from clientela.schemas import invalid

VALUE = "value__"

# Options that mean the same with every command; a field with such a name is written --field-NAME.
_TAKEN = {"null", "json", "rev", "help"}


def option_name(name: str) -> str:
    """Give the option of a field. `--reason` is both: the field, and why the change was made."""
    word = name.replace("_", "-")
    taken = {opt.lstrip("-") for o in (*common_options(), *write_options()) for opt in o.opts}
    if name != "reason" and word in taken | _TAKEN:
        return f"--field-{word}"
    return f"--{word}"


def field_options(fields: Mapping[str, Field]) -> list[click.Parameter]:
    """Make an option of each field."""
    return [_field_option(name, declared) for name, declared in fields.items()]


def _field_option(name: str, declared: Field) -> click.Option:
    kind = declared.kind
    choices = list(kind.options) if isinstance(kind, ChoiceKind) else []
    made = click.Option(
        [f"{VALUE}{name}", option_name(name)],
        metavar=f"[{'|'.join(choices)}]" if 0 < len(choices) < 6 else kind.name.upper(),  # noqa: PLR2004 - fits a line
        shell_complete=lambda _c, _p, begun: [one for one in choices if one.startswith(begun)],
    )
    said = declared.help or declared.label
    about = said if isinstance(said, Text) else Text(said)
    # Set here, because click would make plain text of it, which cannot be translated by its parts.
    made.help = about + _(" Required.") if declared.required else about
    return made


def extra_options() -> list[click.Parameter]:
    """Give the options that stand beside those of the fields."""
    return [
        option("nulls --null", "Empty a field; may be repeated.", multiple=True, metavar="FIELD"),
        option("json_source --json", "A JSON object of values: a file, or - for stdin.", metavar="FILE"),
    ]  # fmt: skip


def given_values(options: Mapping[str, Any]) -> dict[str, str]:
    """Give the fields that were named on the command line, as text."""
    return {
        name.removeprefix(VALUE): value
        for name, value in options.items()
        if name.startswith(VALUE) and value is not None and value != ()
    }


def field_values(
    fields: Mapping[str, Field],
    texts: Mapping[str, str],
    nulls: Iterable[str] = (),
    json_source: str | None = None,
) -> dict[str, Any]:
    """Read texts with the kinds of their fields; all that cannot be read is refused together."""
    values = read_object(json_source) if json_source else {}
    problems = []
    for name, text in texts.items():
        try:
            values[name] = field_value(fields[name], text)
        except ValueError as wrong:
            problems.append(FieldProblem(f"/{name}", "invalid", wrong.args[0]))
    if problems:
        first = problems[0].detail
        many = _("{count} values cannot be taken.", count=len(problems))
        raise Invalid(first if len(problems) == 1 else many, problems)
    return values | dict.fromkeys(_known(nulls, fields))


def field_value(declared: Field, text: str) -> Any:
    """Read one text; nothing is null where a field may be empty."""
    gate.check_text(text)
    return None if text == "" and declared.optional else declared.kind.parse(text)


def _known(names: Iterable[str], fields: Mapping[str, Field]) -> list[str]:
    found = [name.replace("-", "_") for name in names]
    for name in found:
        if name not in fields:
            sentence = _("There is no field {name} to be emptied.", name=repr(name[:60]))
            sentence += did_you_mean(name, fields)
            raise Invalid(sentence, [FieldProblem("/null", "unknown-field", sentence)])
    return found


def read_object(source: str) -> dict[str, Any]:
    """Read a JSON object from a file or stdin, through the gate of every face."""
    value = read_json_file(source)
    if not isinstance(value, dict):
        raise BadSyntax(_("--json takes an object of names and values."))
    return value


def read_json_file(source: str) -> Any:
    """Read JSON from a file or stdin, through the gate of every face."""
    body = (
        sys.stdin.buffer.read(gate.MOST_BYTES + 1) if source == "-" else Path(source).read_bytes()
    )
    return gate.read_json(body)


# the input of actions -----------------------------------------------------------------------------------------------


def model_options(model: type[BaseModel]) -> list[click.Parameter]:
    """Make an option of each member of an action's input; a secret is read from stdin or the environment."""
    made: list[click.Parameter] = []
    for name, schema in _members(model).items():
        about = str(schema.get("description") or schema.get("title") or name)
        if schema.get("format") == "password":
            made += secret_options(name)
            continue
        listed = schema.get("type") == "array"
        made.append(
            click.Option(
                [f"{VALUE}{name}", option_name(name)],
                multiple=listed,
                metavar=_metavar(schema),
                help=f"{about} May be repeated." if listed else about,
            )
        )
    return made


def secret_options(name: str) -> list[click.Parameter]:
    """Give the ways in which a secret may come: never as an argument, which others on the machine can read."""
    word = name.replace("_", "-")
    return [
        click.Option(
            [f"stdin__{name}", f"--{word}-stdin"], is_flag=True, help="Read it from stdin."
        ),
        click.Option(
            [f"env__{name}", f"--{word}-env"],
            metavar="VARIABLE",
            help="Read it from an environment variable.",
        ),
    ]


def _metavar(schema: dict[str, Any]) -> str:
    values = schema.get("enum")
    return f"[{'|'.join(map(str, values))}]" if values else str(schema.get("type", "json")).upper()


def _members(model: type[BaseModel]) -> dict[str, dict[str, Any]]:
    """Give the JSON schema of each member, with references and `| None` taken off."""
    whole = model.model_json_schema()
    defs = whole.get("$defs", {})
    return {name: _bare(part, defs) for name, part in whole.get("properties", {}).items()}


def _bare(schema: dict[str, Any], defs: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        named: dict[str, Any] = defs.get(schema["$ref"].rsplit("/", 1)[-1], {})
        return named | schema
    kinds = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
    return _bare(kinds[0], defs) | schema if len(kinds) == 1 else schema


def model_input(desk: Desk, model: type[BaseModel], options: Mapping[str, Any]) -> BaseModel:
    """Read an action's input from options, with the model that every face reads it with."""
    source = options.get("json_source")
    body = read_object(source) if source else {}
    members = _members(model)
    for name, value in given_values(options).items():
        body[name] = _json_value(members[name], value)
    for name, schema in members.items():
        if schema.get("format") == "password" and name not in body:
            body |= _secret(desk, name, options)
    body |= dict.fromkeys(n.replace("-", "_") for n in options.get("nulls") or ())
    try:
        return model.model_validate_json(orjson.dumps(body))
    except ValidationError as wrong:
        raise invalid(wrong, model.model_fields) from None


def _secret(desk: Desk, name: str, options: Mapping[str, Any]) -> dict[str, str]:
    from clientela.cli.commands.secrets import read_secret  # noqa: PLC0415 - asks, and few actions need it

    found = read_secret(
        desk, name, stdin=bool(options.get(f"stdin__{name}")), env=options.get(f"env__{name}")
    )
    return {} if found is None else {name: found}


def _json_value(schema: dict[str, Any], value: Any) -> Any:
    """Turn text into what the JSON of this member would hold; what does not fit stays text and is refused by it."""
    if isinstance(value, tuple):
        return [_json_value(schema.get("items", {}), one) for one in value]
    gate.check_text(value)
    kind = schema.get("type")
    if kind == "boolean":
        return {"true": True, "yes": True, "false": False, "no": False}.get(value.lower(), value)
    if kind in ("integer", "number") and re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", value):
        return gate.read_json(value.encode())
    if kind == "string":
        return value
    if value[:1] in ("{", "["):
        return gate.read_json(value.encode())
    return value
