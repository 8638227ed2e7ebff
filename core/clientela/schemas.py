"""pydantic models of an entity, made from its declaration when they are first asked for."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    ValidationError,
    create_model,
)
from pydantic import (
    Field as PydanticField,
)

from clientela.entity import EntityInfo
from clientela.errors import FieldProblem, Invalid, did_you_mean, nearest, sentence_of
from clientela.fields import Field
from clientela.i18n import Text, _
from clientela.kinds.base import NOWHERE, Home
from clientela.kinds.text import TextKind


class Input(BaseModel):
    """The base of everything that comes in: unknown names are refused, types are not guessed."""

    model_config = ConfigDict(extra="forbid", strict=True, arbitrary_types_allowed=True)


def _filled(value: Any) -> Any:
    if value == "":
        raise ValueError(_("This must not be empty."))
    return value


def _empty_is_none(value: Any) -> Any:
    return None if value == "" else value


def field_type(declared: Field) -> Any:
    """Give the pydantic type of a field."""
    made = declared.kind.annotation()
    if declared.optional:
        return Annotated[made | None, AfterValidator(_empty_is_none)]
    if isinstance(declared.kind, TextKind):
        return Annotated[made, AfterValidator(_filled)]
    return made


@lru_cache(maxsize=1024)
def create_schema(info: EntityInfo, home: Home = NOWHERE) -> type[BaseModel]:
    """Give the model of a creation: required fields, the others with their defaults left out."""
    needed = {n: ... if f.required else None for n, f in info.writable.items()}
    return _model(info, home, "Create", needed)


@lru_cache(maxsize=1024)
def patch_schema(info: EntityInfo, home: Home = NOWHERE) -> type[BaseModel]:
    """Give the model of a merge patch (RFC 7396): every field may be left out."""
    changeable = {n: None for n, f in info.writable.items() if not f.immutable}
    return _model(info, home, "Patch", changeable)


def _model(info: EntityInfo, home: Home, suffix: str, defaults: dict[str, Any]) -> type[BaseModel]:
    parts: dict[str, Any] = {
        name: (field_type(info.fields[name].at_home(home)), _described(info.fields[name], default))
        for name, default in defaults.items()
    }
    made: type[BaseModel] = create_model(f"{_title(info)}{suffix}", __base__=Input, **parts)
    return made


def _described(declared: Field, default: Any) -> Any:
    return PydanticField(default=default, title=declared.label, description=declared.help or None)


def _title(info: EntityInfo) -> str:
    return f"{info.plugin.title()}{info.cls.__name__}"


def load(model: type[BaseModel], raw: object, *, at: str = "") -> dict[str, Any]:
    """Read input with a model and give only what was sent; `Invalid` names every wrong value."""
    try:
        made = model.model_validate(raw)
    except ValidationError as wrong:
        raise invalid(wrong, model.model_fields, at=at) from None
    return {name: getattr(made, name) for name in made.model_fields_set}


def invalid(wrong: ValidationError, names: Iterable[str], *, at: str = "") -> Invalid:
    """Turn pydantic's report into our sentences; `names` are those that might have been meant by an unknown one."""
    known = list(names)
    problems = [_problem(error, known, at) for error in wrong.errors(include_url=False)[:50]]
    first = problems[0]
    detail = first.detail
    if len(problems) > 1:
        detail = _("{count} values cannot be taken.", count=len(problems))
    return Invalid(detail, problems)


_SENTENCES = {
    "missing": _("This is required."),
    "model_type": _("An object is expected here."),
    "string_type": _("Text is expected here."),
    "int_type": _("A whole number is expected here."),
    "bool_type": _("true or false is expected here."),
    "list_type": _("A list is expected here."),
    "tuple_type": _("A list is expected here."),
    "mapping_type": _("An object is expected here."),
    "dataclass_type": _("An object is expected here."),
    "dict_type": _("An object is expected here."),
    "float_type": _("A number is expected here."),
    "string_too_long": _("At most {max_length} characters are taken here."),
    "string_too_short": _("At least {min_length} characters are needed here."),
    "too_long": _("At most {max_length} values are taken here."),
    "too_short": _("At least {min_length} values are needed here."),
    "greater_than_equal": _("The number must be {ge} or more."),
    "less_than_equal": _("The number must be {le} or less."),
    "greater_than": _("The number must be more than {gt}."),
    "less_than": _("The number must be less than {lt}."),
    "literal_error": _("One of {expected} is expected here."),
    "enum": _("One of {expected} is expected here."),
}


def _problem(error: Any, names: list[str], at: str) -> FieldProblem:
    path = [
        part
        for part in error["loc"]
        if not (isinstance(part, str) and part.startswith("function-"))
    ]
    pointer = at + "".join(f"/{_escape(part)}" for part in path)
    kind = str(error["type"])
    if kind in {"extra_forbidden", "unexpected_keyword_argument"}:
        word = str(path[-1])
        return FieldProblem(
            pointer, "unknown-field",
            _("There is no field {name} here.", name=repr(word[:60])) + did_you_mean(word, names),
            allowed=nearest(word, names),
        )  # fmt: skip
    known = _SENTENCES.get(kind)
    sentence = Text(known.key, None, error.get("ctx")) if known else _said(error)
    return FieldProblem(pointer or "/", kind.replace("_", "-"), sentence)


def _said(error: Any) -> str:
    """Give the sentence of the `ValueError` behind pydantic's report, still translatable."""
    cause = error.get("ctx", {}).get("error")
    return sentence_of(cause) if isinstance(cause, ValueError) else str(error["msg"])


def _escape(part: object) -> str:
    return str(part)[:100].replace("~", "~0").replace("/", "~1")
