"""Settings of a deployment: `clientela.toml`, the environment, and defaults that work without either."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any, ClassVar, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from clientela.errors import FieldProblem, Misconfigured
from clientela.i18n.texts import _
from clientela.plugins.policies import FILE, Policy, policies_of
from clientela.values import COUNTRIES, CURRENCIES

PROGRAMS = ("application/vnd.microsoft.portable-executable", "application/x-executable")
# What may be a secret, and so may stand elsewhere.
BY_REFERENCE = ("database", "file_key_id", "file_key_secret")


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
    postgres_snapshot: Literal["pg_dump", "template", "none"] = Field(
        default="pg_dump",
        description="How PostgreSQL is copied before a plugin changes its tables.",
    )
    plugins: dict[str, Policy] = Field(
        default={}, description="Per plugin: the versions wanted, whether required, its settings."
    )
    safe: bool = Field(default=False, description="Start the core alone, without any plugin.")
    server_timing: bool = Field(
        default=False, description="Tell every caller of REST what each plugin cost."
    )
    folder: Path = Field(default=Path(), description="The deployment's folder.")
    file_folder: Path | None = Field(
        default=None, description="Where files are kept; default: files in the deployment's folder."
    )
    file_most_bytes: int = Field(
        default=100 * 2**20, ge=1, le=2**53 - 1, description="The most bytes of one file."
    )
    file_types: tuple[str, ...] = Field(
        default=(), description="Types that are taken, such as image/*; all when empty."
    )
    file_types_forbidden: tuple[str, ...] = Field(
        default=PROGRAMS, description="Types that are not taken; programs by default."
    )
    file_grace_days: int = Field(
        default=30,
        ge=0,
        le=3650,
        description="How long the bytes of purged files are kept for an undo; 0 removes at once.",
    )
    file_bucket: str = Field(
        default="",
        description="Keep files in this S3-compatible bucket instead: bucket, or bucket/prefix.",
    )
    file_endpoint: str = Field(
        default="", description="The address of the S3-compatible server; default: Amazon's."
    )
    file_region: str = Field(default="us-east-1", description="The bucket's region.")
    file_key_id: str = Field(
        default="", description="The access key's id, or { env = … } or { file = … }."
    )
    file_key_secret: SecretStr = Field(
        default=SecretStr(""),
        description="The access key's secret, by { env = … } or { file = … }.",
    )

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

    @model_validator(mode="after")
    def _one_place_for_files(self) -> Settings:
        if self.file_folder is not None and self.file_bucket:
            raise ValueError(_("Files are kept in file_folder or in file_bucket, not in both."))
        return self

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
    for name in BY_REFERENCE:
        if isinstance(values.get(name), dict):
            values[name] = _referenced(name, values[name], path)
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


def _referenced(setting: str, reference: dict[str, Any], path: Path) -> str:
    """Read what may be a secret by reference."""
    value = read_secret(reference, str(path))
    if value is None:
        raise Misconfigured(
            _(
                "{path}: {setting} is a text, or {{ env = … }} or {{ file = … }}.",
                path=path,
                setting=setting,
            )
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
