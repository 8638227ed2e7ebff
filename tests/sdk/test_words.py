"""What the sdk says at the command line is there in English and in Russian."""

from __future__ import annotations

from click.testing import CliRunner

from clientela.cli import root
from clientela.cli.commands.translations import wanted_of_tools
from clientela.i18n.extract import missing


def test_every_message_of_the_sdk_is_there_in_russian() -> None:
    wanted = wanted_of_tools()

    assert list(wanted) == ["clientela_sdk"]
    assert missing("clientela_sdk", "ru", wanted["clientela_sdk"]) == []


def test_the_commands_of_the_sdk_are_those_of_plugin() -> None:
    done = CliRunner().invoke(root, ["--lang", "ru", "plugin", "--help"])

    assert "Создать плагин: рабочий" in done.stdout
    assert "Проверить в отдельных базах" in done.stdout


def test_a_refusal_of_the_sdk_is_said_in_the_language_of_who_asks() -> None:
    done = CliRunner().invoke(root, ["plugin", "new", "contacts", "--lang", "ru"])

    assert "Плагин contacts уже установлен" in done.stderr
