"""Plugins declare their settings; an administrator writes them, secrets by reference."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel, Field, SecretStr

from clientela.app import App
from clientela.errors import Misconfigured
from clientela.plugins.card import Plugin
from clientela.plugins.policies import Policy
from clientela.settings import Settings


class Post(BaseModel):
    """How letters go out."""

    host: str = Field(description="The server.")
    port: int = Field(default=25, description="Its port.")
    password: SecretStr | None = Field(default=None, description="Its password.")


class Unsaid(BaseModel):
    """A setting nobody explains."""

    host: str


POST = Plugin(name="spost", title="Post", settings=Post)
SOURCE = """
from pydantic import BaseModel, Field, SecretStr

class Post(BaseModel):
    host: str = Field(description="The server.")
    port: int = Field(default=25, description="Its port.")
    password: SecretStr | None = Field(default=None, description="Its password.")

"""


def app_with(**config: object) -> App:
    settings = Settings(plugins={"spost": Policy(config=config)})
    return App("sqlite://", plugins=[POST], settings=settings)


def refusal(**config: object) -> str:
    with pytest.raises(Misconfigured) as refused:
        app_with(**config)
    assert refused.value.code == "needs-settings"
    return refused.value.detail


def test_a_plugin_reads_its_settings_by_their_type() -> None:
    read = app_with(host="mail.example.com").settings_of(Post)

    assert (read.host, read.port) == ("mail.example.com", 25)


def test_a_secret_is_read_from_where_it_is_kept(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "password").write_text("sesame\n")
    monkeypatch.setenv("MAIL_HOST", "mail.example.com")
    read = app_with(
        host={"env": "MAIL_HOST"}, password={"file": str(tmp_path / "password")}
    ).settings_of(Post)

    assert read.host == "mail.example.com"
    assert read.password is not None
    assert read.password.get_secret_value() == "sesame"


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({}, "host: Field required"),
        ({"host": "h", "port": "many"}, "port: Input should be a valid integer"),
        ({"host": "h", "prot": 3}, "prot: there is no such setting. Did you mean 'port'?"),
        (
            {"host": "h", "password": "sesame"},
            "password: the secret password is written { env = … } or",
        ),
        ({"host": {"env": "SNOWHERE"}}, "the environment variable SNOWHERE is not set"),
        ({"host": {"file": "/no/such"}}, "/no/such cannot be read"),
    ],
)
def test_settings_that_cannot_be_taken(config: dict[str, object], sentence: str) -> None:
    said = refusal(**config)

    assert said.startswith("The settings of spost cannot be taken: ")
    assert sentence in said
    assert "sesame" not in said


def test_all_that_is_wrong_is_told_at_once() -> None:
    assert refusal(prot=3, password="x").count(";") == 1


def test_a_setting_without_a_description_is_refused() -> None:
    with pytest.raises(Misconfigured, match="The setting host of x has no description"):
        Plugin(name="x", title="X", settings=Unsaid)


def test_settings_for_a_plugin_that_takes_none() -> None:
    with pytest.raises(Misconfigured, match="The plugin x takes no settings"):
        App(
            "sqlite://", plugins=[Plugin(name="x", title="X")],
            settings=Settings(plugins={"x": Policy(config={"a": 1})}),
        )  # fmt: skip


def test_the_settings_of_nobody() -> None:
    with pytest.raises(Misconfigured, match="Unsaid are the settings of no plugin here"):
        app_with(host="h").settings_of(Unsaid)


def test_a_deployment_leaves_out_who_lacks_settings(shop) -> None:
    shop.plugin("smail", SOURCE, ", settings=Post")

    assert shop.fate("smail") == (
        "needs-settings",
        "The settings of smail cannot be taken: host: Field required.",
    )
    assert shop.fates()["smail"].fix == "write [plugins.smail] config in clientela.toml"


def test_a_validator_that_breaks_costs_its_own_plugin(shop) -> None:
    broken = """
    from pydantic import BaseModel, Field, field_validator

    class Post(BaseModel):
        port: int = Field(default=25, description="Its port.", validate_default=True)

        @field_validator("port")
        @classmethod
        def _break(cls, value):
            raise RuntimeError("boom")

    """
    shop.plugin("sbreak", broken, ", settings=Post")

    state, reason = shop.fate("sbreak")

    assert (state, "RuntimeError: boom" in reason) == ("needs-settings", True)


def test_config_shows_them_and_keeps_the_secret(shop, monkeypatch) -> None:
    monkeypatch.setenv("SMAIL_PASSWORD", "sesame")
    shop.plugin("smail", SOURCE, ", settings=Post")
    shop.say(
        'disabled = ["contacts"]', "[plugins.smail]", 'version = "*"',
        'config = { host = "h", password = { env = "SMAIL_PASSWORD" } }',
    )  # fmt: skip

    shown = {row["setting"]: row for row in shop.json("config", "show")["data"]}

    assert shown["plugins.smail.config.host"]["value"] == "h"
    assert shown["plugins.smail.config.port"]["from"] == "default"
    assert shown["plugins.smail.config.password"]["value"] == "{'env': 'SMAIL_PASSWORD'}"
    assert "sesame" not in str(shown)


def test_the_schema_knows_them(shop) -> None:
    shop.plugin("smail", SOURCE, ", settings=Post")
    shop.say('disabled = ["contacts"]', "[plugins.smail]", 'config = { host = "h" }')

    plugins = shop.json("config", "schema")["properties"]["plugins"]["properties"]

    config = plugins["smail"]["anyOf"][1]["properties"]["config"]
    assert config["properties"]["host"]["description"] == "The server."
    assert config["required"] == ["host"]
