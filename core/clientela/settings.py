"""Settings of a deployment: `clientela.toml`, the environment, and defaults that work without either."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any, ClassVar, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from clientela.errors import FieldProblem, Misconfigured
from clientela.i18n.texts import _
from clientela.plugins.policies import FILE, Policy, policies_of
from clientela.values import COUNTRIES, CURRENCIES


class Settings(BaseSettings):
    """What an administrator decides. The environment (`CLIENTELA_DATABASE`, …) wins over the file."""

    model_config = SettingsConfigDict(env_prefix="CLIENTELA_", extra="forbid", frozen=True)

    name: str = Field(
        default="Clientela", max_length=80, description="Shown in prompts and page titles."
    )
    database: str = Field(
        default="", description="sqlite:///path or postgresql://…; default: a file in the folder."
    )
    pool_size: int = Field(
        default=8, ge=1, le=64, description="Database connections, and so worker threads."
    )
    language: Literal["en", "ru"] = Field(
        default="en", description="Used where nobody chose another."
    )
    time_zone: str = Field(default="UTC", description="An IANA name such as Europe/Moscow.")
    country: str | None = Field(
        default=None, description="Where phone numbers without a country code belong."
    )
    currency: str | None = Field(default=None, description="Taken where an amount names none.")
    disabled: tuple[str, ...] = Field(
        default=(), description="Plugins that are installed but not used."
    )
    plugins: dict[str, Policy] = Field(
        default={}, description="Per plugin: the versions wanted, whether required, its settings."
    )
    safe: bool = Field(default=False, description="Start the core alone, without any plugin.")
    server_timing: bool = Field(
        default=False, description="Tell every caller of REST what each plugin cost."
    )
    folder: Path = Field(default=Path(), description="The deployment's folder.")

    _file: ClassVar[dict[str, Any]] = {}

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment win over what was read from the file."""
        del settings_cls, dotenv_settings, file_secret_settings
        return env_settings, init_settings

    @field_validator("plugins", mode="before")
    @classmethod
    def _policies(cls, values: Any) -> dict[str, Policy]:
        return policies_of(values)

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(
                _(
                    "{value} is not a time zone; write an IANA name such as Europe/Moscow.",
                    value=repr(value),
                )
            ) from None
        return value

    @field_validator("country")
    @classmethod
    def _known_country(cls, value: str | None) -> str | None:
        if value is not None and value not in COUNTRIES:
            raise ValueError(
                _("{value} is not a country of ISO 3166-1, such as RU.", value=repr(value))
            )
        return value

    @field_validator("currency")
    @classmethod
    def _known_currency(cls, value: str | None) -> str | None:
        if value is not None and value not in CURRENCIES:
            raise ValueError(
                _("{value} is not a currency of ISO 4217, such as RUB.", value=repr(value))
            )
        return value

    @property
    def database_url(self) -> str:
        """Give the address of the database; a file in the folder when none is set."""
        return self.database or f"sqlite:///{self.folder / 'clientela.sqlite3'}"

    @property
    def zone(self) -> ZoneInfo:
        """Give the deployment's time zone."""
        return ZoneInfo(self.time_zone)


def load_settings(folder: Path, *, safe: bool = False) -> Settings:
    """Read the folder's `clientela.toml`, if there is one, under the environment; `safe` leaves the plugins aside."""
    path = folder / FILE
    values: dict[str, Any] = {}
    if path.is_file():
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
            raise Misconfigured(
                _("{path} cannot be read: {reason}.", path=path, reason=wrong)
            ) from wrong
    if safe:
        values = {**values, "safe": True, "plugins": {}}
    if isinstance(values.get("database"), dict):
        values["database"] = _referenced(values["database"], path)
    try:
        return Settings(**{"folder": folder, **values})
    except ValidationError as wrong:
        problems = [
            FieldProblem("/" + "/".join(map(str, e["loc"])), str(e["type"]), said(e["msg"]))
            for e in wrong.errors(include_url=False, include_context=False)
        ]
        first = problems[0]
        raise Misconfigured(
            _(
                "{path}: {pointer}: {detail}",
                path=path,
                pointer=first.pointer.lstrip("/"),
                detail=first.detail,
            ),
            problems,
        ) from None


def said(message: str) -> str:
    """Give a sentence of ours as it was written: pydantic says before it that it is about a value."""
    return message.removeprefix("Value error, ")


def _referenced(reference: dict[str, Any], path: Path) -> str:
    """Read the address of the database by reference."""
    value = read_secret(reference, str(path))
    if value is None:
        raise Misconfigured(
            _("{path}: database is an address, or {{ env = … }} or {{ file = … }}.", path=path)
        )
    return value


def read_secret(reference: dict[str, Any], where: str) -> str | None:
    """Read a secret by reference, `{ env = "DB_URL" }` or `{ file = "/run/secrets/db" }`; None for anything else."""
    if set(reference) == {"env"}:
        value = os.environ.get(str(reference["env"]))
        if not value:
            raise Misconfigured(
                _(
                    "{path}: the environment variable {name} is not set.",
                    path=where,
                    name=reference["env"],
                )
            )
        return value
    if set(reference) == {"file"}:
        try:
            return Path(str(reference["file"])).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as wrong:
            raise Misconfigured(
                _(
                    "{path}: {file} cannot be read: {reason}.",
                    path=where,
                    file=reference["file"],
                    reason=wrong,
                )
            ) from wrong
    return None
