"""The commands that are written by hand: deployment, access, looking, data, health."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import insert, update

from clientela import ids
from clientela.access.entities import Role
from clientela.app import App
from clientela.cli import root
from clientela.cli.commands import start
from clientela.cli.commands.translations import texts_of_commands
from clientela.i18n import Message
from clientela.i18n.extract import messages_in, missing
from clientela.outbox import DELIVERY, OUTBOX

# init ---------------------------------------------------------------------------------------------------------------


def run(*words: str, code: int = 0, **how):
    result = CliRunner().invoke(root, list(words), **how)
    assert result.exit_code == code, result.output
    return result


def test_init_makes_a_deployment_and_overwrites_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    made = run("init", str(folder), "--name", 'Corner "shop"', "--lang", "ru", "--currency", "RUB")
    again = run("init", str(folder), code=6)
    states = json.loads(run("-C", str(folder), "db", "status", "-o", "json").stdout)["data"]
    roles = run("-C", str(folder), "role", "list", "-o", "csv").stdout

    assert "user add you@example.com" in made.stderr
    assert (folder / "clientela.toml").read_text("utf-8").startswith('name = "Corner \\"shop\\""')
    assert (folder / "clientela.toml").stat().st_mode & 0o077 == 0
    assert "is there already" in again.stderr
    assert [one["state"] for one in states if one["plugin"] == "core"] == ["current"]
    assert "administrator" in roles


def test_a_wrong_setting_leaves_nothing_behind(tmp_path: Path) -> None:
    refused = run("init", str(tmp_path), "--time-zone", "Mars/Olympus", code=3)

    assert "'Mars/Olympus' is not a time zone" in refused.stderr
    assert list(tmp_path.iterdir()) == []


def test_without_a_deployment_nothing_is_created(tmp_path: Path) -> None:
    refused = run("-C", str(tmp_path), "core", "customer", "list", code=3)

    assert f"There is no deployment in {tmp_path}" in refused.stderr
    assert f"fix    clientela init {tmp_path}" in refused.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_unmigrated_database_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "clientela.toml").write_text('disabled = ["contacts"]')
    refused = run("-C", str(tmp_path), "core", "customer", "list", code=3)
    run("-C", str(tmp_path), "db", "migrate")
    run("-C", str(tmp_path), "core", "customer", "list")

    assert "fix    clientela db migrate" in refused.stderr


def test_settings_that_cannot_be_read_are_a_configuration_error(tmp_path: Path) -> None:
    (tmp_path / "clientela.toml").write_text("nmae = 'x'")

    assert "error[misconfigured]" in run("-C", str(tmp_path), "config", "show", code=3).stderr


# access -------------------------------------------------------------------------------------------------------------


def test_the_first_administrator_signs_in(cli, app: App) -> None:
    cli(
        "user",
        "add",
        "Anna@example.com",
        "--role",
        "administrator",
        "--password-stdin",
        stdin="long enough 1\n",
    )

    assert app.directory.by_password("anna@example.com", "long enough 1").can("core.customer.purge")
    cli("user", "disable", "anna@example.com")
    app.directory.forget()
    assert cli.json("user", "list")["data"][0]["active"] is False
    cli("user", "enable", "anna@example.com")


def test_a_password_may_come_from_the_environment(
    cli, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "from the environment")
    cli("user", "add", "anna@example.com", "--password-env", "SECRET")
    cli("user", "password", "anna@example.com", "--password-env", "NOT_THERE", code=2)
    cli("user", "password", "anna@example.com", code=2)

    assert app.directory.by_password("anna@example.com", "from the environment").name == "anna"


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        ("user add nope", 2, "@-sign"),
        ("user add a@example.com --role raeder", 4, "There is no role 'raeder'"),
        ("user add a@example.com --password-stdin", 2, "10 to 200 characters"),
        ("user disable no@example.com", 4, "There is no user 'no@example.com'"),
        ("api token add x", 2, "--role for a service, or --user"),
        ("api token add x --role raeder", 2, "Did you mean 'reader'?"),
        ("api token add x --role reader --user a@example.com", 2, "--role for a service"),
        ("api token add x --role reader --days 0", 2, "--days"),
        ("role show raeder", 4, "There is no role 'raeder'"),
        ("role add x --scope core.customer", 2, "ENTITY=FILTER"),
        ("role add x --scope core.custmer=owner=me", 4, "Did you mean 'core.customer'"),
        ("role add x --scope core.customer=owner==", 2, "error[bad-syntax]"),
        ("role add reader", 6, "error["),
        ("role grant reader", 2, "--to or --from"),
        ("entity show custmer", 4, "Did you mean 'customer'"),
        ("event tail --fact core.nothing", 4, "There is no fact"),
        ("help nonsense", 4, "There is no topic"),
        ("x nothing", 4, "brings no commands"),
    ],
)
def test_a_wrong_word_is_a_sentence(cli, words: str, code: int, sentence: str) -> None:
    result = cli(*words.split(), code=code, stdin="short\n")

    assert sentence in result.stderr
    assert result.stdout == ""


def test_a_token_is_printed_alone_and_once(cli, app: App) -> None:
    token = cli("api", "token", "add", "ci", "--role", "reader", "--days", "3", "-o", "id").stdout
    listed = cli("api", "token", "list", "-o", "json")

    assert token.startswith("clt_")
    assert token.count("\n") == 1
    assert app.directory.by_token(token.strip()).can("core.customer.read")
    assert token.strip() not in listed.stdout
    cli("api", "token", "revoke", json.loads(listed.stdout)["data"][0]["id"])
    app.directory.forget()
    with pytest.raises(Exception, match="withdrawn"):
        app.directory.by_token(token.strip())


def test_a_users_token_has_the_users_rights_and_nobody_else_may_issue_it(cli, app: App) -> None:
    cli("user", "add", "anna@example.com", "--role", "reader")
    cli("role", "add", "issuer", "--permission", "*.read", "--permission", "core.token.issue")
    cli("user", "add", "eve@example.com", "--role", "issuer")
    token = cli(
        "api", "token", "add", "own", "--user", "anna@example.com", "-o", "id"
    ).stdout.strip()
    refused = cli(
        "api",
        "token",
        "add",
        "evil",
        "--user",
        "anna@example.com",
        "--as",
        "eve@example.com",
        code=5,
    )

    principal = app.directory.by_token(token)
    assert principal.can("core.customer.read")
    assert not principal.can("core.customer.create")
    assert principal.user is not None
    assert "another user" in refused.stderr


def test_roles_are_granted_and_revoked(cli) -> None:
    cli(
        "role",
        "add",
        "support",
        "--permission",
        "core.customer.*",
        "--scope",
        "core.customer=owner = me",
        "--hide",
        "pii",
    )
    cli("user", "add", "anna@example.com")
    cli("role", "grant", "support", "core.decision.read", "--to", "anna@example.com")
    assert cli.json("role", "show", "support")["permissions"] == [
        "core.customer.*",
        "core.decision.read",
    ]
    assert cli.json("role", "show", "support")["scopes"] == {"core.customer": "owner = me"}
    assert cli.json("user", "list")["data"][0]["roles"] == ["support"]

    cli("role", "revoke", "support", "core.customer.*", "--from", "anna@example.com")
    assert cli.json("role", "show", "support")["permissions"] == ["core.decision.read"]
    assert cli.json("user", "list")["data"][0]["roles"] == []


def test_a_dry_run_of_a_hand_written_command_changes_nothing(cli) -> None:
    planned = cli.json("user", "add", "anna@example.com", "--dry-run")
    cli("api", "token", "add", "ci", "--role", "reader", "--dry-run")

    assert planned["changes"][0]["kind"] == "create"
    assert cli.json("user", "list") == {"data": []}
    assert cli.json("api", "token", "list") == {"data": []}


@pytest.mark.parametrize(
    "words", ["db revert core --yes", "doctor", "config show", "serve", "i18n check"]
)
def test_what_is_about_the_machine_is_not_done_in_a_users_name(cli, words: str) -> None:
    cli("user", "add", "reader@example.com", "--role", "reader")
    result = cli("--as", "reader@example.com", *words.split(), code=2)

    assert "for the operator of the machine" in result.stderr


# looking ------------------------------------------------------------------------------------------------------------


def test_entities_are_described(cli) -> None:
    names = [row["entity"] for row in cli.json("entity", "list")["data"]]
    described = cli.json("entity", "show", "customer")

    assert "core.customer" in names
    assert described["entity"] == "core.customer"
    assert {"name", "email"} <= {one["field"] for one in described["fields"]}
    assert "password_hash" not in cli("entity", "show", "core.user").stdout


def test_search_goes_over_every_kind_of_record(cli) -> None:
    key = cli.customer("--name", "Ivanova")
    cli(
        "core",
        "interaction",
        "create",
        "--customer-id",
        key,
        "--channel",
        "phone",
        "--at",
        "2026-01-31",
        "--subject",
        "Ivanova calls",
    )
    rows = cli.json("search", "ivanova")["data"]

    assert {(row["entity"], row["title"]) for row in rows} == {
        ("core.customer", "Ivanova"),
        ("core.interaction", "Ivanova calls"),
    }
    assert [r["entity"] for r in cli.json("search", "ivanova", "--in", "customer")["data"]] == [
        "core.customer"
    ]


def test_the_newest_facts_come_last(cli) -> None:
    cli.customer("--name", "Anna")
    rows = cli.json("event", "tail", "--limit", "1")["data"]

    assert [row["fact"] for row in rows] == ["core.record_created"]
    cli("user", "add", "reader@example.com", "--role", "member", code=4)
    cli("user", "add", "reader@example.com")
    cli("event", "tail", "--as", "reader@example.com", code=5)


def test_the_settings_are_shown_without_passwords(cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLIENTELA_DATABASE", "postgresql://me:hunter2@db/crm")
    shown = cli("config", "show").stdout

    assert "hunter2" not in shown
    assert "postgresql://me:***@db/crm" in shown
    assert "environment" in shown


# data ---------------------------------------------------------------------------------------------------------------


def test_a_file_goes_in_and_comes_out(cli, tmp_path: Path) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text("name,email\nAnna,anna@example.com\nBoris,boris@example.com\n", "utf-8")
    planned = cli.json("import", "customer", str(source), "--dry-run")
    assert (planned["created"], cli("core", "customer", "list", "--count").stdout) == (2, "0\n")

    cli("data", "import", "core.customer", str(source), "--yes")
    cli("export", "customer", "--columns", "name,email", "--sort", "name", "--out", str(target))
    piped = cli("export", "customer", "--columns", "name", "--filter", "name = Anna")

    assert target.read_text("utf-8-sig").split() == [
        "name,email",
        "Anna,anna@example.com",
        "Boris,boris@example.com",
    ]
    assert piped.stdout.split() == ["name", "Anna"]


def test_a_file_with_wrong_rows_says_which_and_ends_with_7(cli, tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_text("Who,email\nAnna,nope\n", "utf-8")
    result = cli("import", "customer", str(source), "--map", "Who=name", "--yes", code=7)

    assert "email" in result.stderr
    assert "2" in result.stderr
    cli("import", "customer", str(source), "--map", "rubbish", "--yes", code=2)
    cli("import", "customer", str(source), "--mode", "upsert", "--yes", code=2)
    assert "--yes" in cli("import", "customer", str(source), code=2).stderr
    cli("import", "customer", str(tmp_path / "none.csv"), "--yes", code=2)


def test_an_export_that_fails_leaves_no_half_file(cli, tmp_path: Path) -> None:
    cli("export", "customer", "--filter", "nmae=1", "--out", str(tmp_path / "out.csv"), code=2)
    cli("export", "customer", "--out", str(tmp_path / "no" / "out.csv"), code=1)

    assert [
        p.name for p in tmp_path.iterdir() if p.suffix == ".csv" or p.name.startswith(".")
    ] == []


# health -------------------------------------------------------------------------------------------------------------


def test_doctor_finds_nothing_wrong_with_a_fresh_deployment(cli) -> None:
    rows = cli.json("doctor")["data"]

    assert {row["state"] for row in rows} <= {"ok", "warn"}
    assert {
        "python",
        "settings",
        "database",
        "plugins",
        "outbox",
        "translations",
        "roles",
        "disk",
    } <= {r["section"] for r in rows}
    assert any("--role administrator" in row["fix"] for row in rows)


def test_doctor_names_dead_letters_and_scopes_that_cannot_be_read(cli, app: App) -> None:
    cli("role", "add", "broken", "--permission", "*", "--scope", "core.customer=owner = me")
    with app.db.write() as connection:
        connection.execute(
            update(Role.info.table)
            .where(Role.info.table.c.name == "broken")
            .values(scopes={"core.customer": "gone = 1"})
        )
        row = {"id": ids.new_key(), "at": app.clock(), "actor": "x", "fact": "x", "payload": {}}
        connection.execute(insert(OUTBOX), row)
        connection.execute(
            insert(DELIVERY),
            {
                "id": ids.new_key(),
                "outbox_id": row["id"],
                "subscriber": "x",
                "attempts": 8,
                "due_at": app.clock(),
                "dead": True,
            },
        )
    rows = cli.json("doctor", code=1)["data"]
    failed = {row["section"]: row["finding"] for row in rows if row["state"] == "fail"}

    assert "1 deliveries were given up" in failed["outbox"]
    assert "The scope of broken for core.customer cannot be read" in failed["roles"]


def test_doctor_survives_a_deployment_that_cannot_start(tmp_path: Path) -> None:
    (tmp_path / "clientela.toml").write_text('database = "mysql://x/y"')
    result = run("-C", str(tmp_path), "doctor", "-o", "json", code=1)
    rows = json.loads(result.stdout)["data"]

    assert any(r["section"] == "database" and r["state"] == "fail" for r in rows)
    assert any(r["section"] == "disk" and r["state"] == "ok" for r in rows)


def test_the_database_goes_back_only_when_somebody_says_yes(cli) -> None:
    assert "--yes" in cli("db", "revert", "core", code=2).stderr
    cli("db", "revert", "core", "--yes")
    assert cli.json("db", "status")["data"][0]["state"] == "pending"
    assert cli("db", "migrate").stdout
    assert "Nothing was to be done." in cli("db", "migrate").stderr


# translations -------------------------------------------------------------------------------------------------------


def test_help_and_errors_speak_russian_when_asked(cli) -> None:
    help_ = cli("--help", "--lang", "ru").stdout
    inner = cli("core", "customer", "create", "--help", "--lang", "ru").stdout
    refused = cli("core", "customer", "update", "cus_x", "--lang", "ru", code=2).stderr

    assert "Проверить развёртывание" in help_
    assert "Показать, что изменилось бы" in inner
    assert "Не названо, что изменить." in refused
    assert "Проверить" not in cli("--help").stdout


def test_i18n_check_ends_with_10_when_messages_are_missing(cli) -> None:
    result = cli("i18n", "check", "--language", "de", code=10)

    assert "is not translated" in result.stdout


def test_every_message_of_the_command_line_has_its_russian_words() -> None:
    spoken = [Message(None, text, None) for text in texts_of_commands() if text]
    marked = messages_in(Path(start.__file__).parent)

    assert missing("clientela", "ru", [*spoken, *marked]) == []


CARD = "BEGIN:VCARD\nVERSION:3.0\nUID:a\nFN:Anna\nTEL:8 926 123-45-67\nTEL:call me\nEND:VCARD\n"


def test_business_cards_go_in_and_out(cli, tmp_path):
    source, out = tmp_path / "people.vcf", tmp_path / "out.vcf"
    source.write_text(CARD, "utf-8")

    planned = cli.json("data", "import", "customer", str(source), "--dry-run")
    assert (planned["created"], planned["errors"][0]["samples"]) == (1, ["6: call me"])
    cli("data", "import", "customer", str(source), "--yes")
    cli("data", "export", "customer", "--format", "vcard", "--out", str(out))

    assert "FN:Anna" in out.read_text("utf-8")
    assert cli.json("data", "import", "customer", str(out), "--yes")["unchanged"] == 1


@pytest.mark.parametrize(
    "words",
    [
        ("import", "interaction", "{}"),
        ("import", "customer", "{}", "--map", "a=name"),
        ("export", "interaction", "--format", "vcard"),
        ("export", "customer", "--format", "vcard", "--columns", "name"),
    ],
)
def test_what_makes_no_sense_of_cards_is_refused(cli, tmp_path, words):
    source = tmp_path / "cards"
    source.write_text(CARD, "utf-8")

    cli("data", *(word.format(source) for word in words), code=2)
