"""The commands that are derived from the declarations."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from clientela.access.principal import system
from clientela.app import App
from clientela.cli import root
from clientela.cli.output import _as_table, one_line, plain_cell
from clientela.context import Context
from clientela.customers.entities import Customer
from clientela.history import CHANGE, CHANGE_SET
from clientela.schemas import create_schema, load

GHOST = "cus_01JD0000000000000000000000"


def test_a_customer_is_created_changed_trashed_restored_and_purged(cli) -> None:
    key = cli.customer("--name", "Roof & Sons", "--kind", "organization", "--tags", "vip, north")
    changed = cli.json("core", "customer", "update", key, "--name", "Roof", "--tags", "")
    cli("core", "customer", "trash", key)
    gone = cli("core", "customer", "show", key, code=4)
    in_trash = cli("core", "customer", "list", "--trashed", "-o", "id")
    cli("core", "customer", "restore", key)
    cli("core", "customer", "purge", key, "--yes")

    assert (changed["name"], changed["tags"], changed["rev"]) == ("Roof", [], 2)
    assert "error[not-found]" in gone.stderr
    assert in_trash.stdout.strip() == key
    assert cli("core", "customer", "list", "--count").stdout == "0\n"


def test_values_are_read_as_people_write_them(cli) -> None:
    key = cli.customer(
        "--person",
        "Иванова Анна Петровна",
        "--email",
        " ANNA@Example.com",
        "--phone",
        "+7 (843) 292-00-11",
        "--birth-date",
        "31.01.1980",
        "--country",
        "Россия",
        "--kind",
        "Person",
    )
    row = cli.json(
        "core", "customer", "show", key, "--fields", "person,email,phone,birth_date,country"
    )

    assert row["person"] == {"family": "Иванова", "given": "Анна", "patronymic": "Петровна"}
    assert row["email"] == "anna@example.com"
    assert (row["phone"], row["birth_date"], row["country"]) == ("+78432920011", "1980-01-31", "RU")


def test_a_dry_run_shows_the_change_set_and_changes_nothing(cli) -> None:
    key = cli.customer("--name", "Anna")
    planned = cli.json("core", "customer", "update", key, "--name", "Olga", "--dry-run")
    shown = cli("core", "customer", "update", key, "--name", "Olga", "--dry-run")

    assert planned["dry_run"] is True
    assert planned["result"]["name"] == "Olga"
    assert planned["changes"] == [
        {
            "entity": "core.customer",
            "id": key,
            "kind": "update",
            "rev": 2,
            "before": {"name": "Anna"},
        }
    ]
    assert shown.stdout.splitlines()[1].split() == [
        "core.customer",
        key,
        "update",
        "name",
        "Anna",
        "Olga",
    ]
    assert "nothing was changed" in shown.stderr
    assert cli.json("core", "customer", "show", key, "--fields", "name")["name"] == "Anna"


def test_the_change_set_of_the_command_line_is_that_of_the_action(cli, app: App) -> None:
    values = {"name": "Anna", "email": "anna@example.com", "tags": ["vip"]}
    planned = cli.json(
        "core",
        "customer",
        "create",
        "--name",
        "Anna",
        "--email",
        "anna@example.com",
        "--tags",
        "vip",
        "--dry-run",
    )

    def directly(ctx: Context) -> list[dict[str, object]]:
        action = app.registry.action("core.customer.create")
        ctx.run(action, data=load(create_schema(Customer.info), values))
        assert ctx.changes is not None
        return [c.as_dict(Customer.info) for c in ctx.changes.changes]

    made = app.perform(system("test"), directly, face="test", dry_run=True)

    assert [one | {"id": ""} for one in planned["changes"]] == [one | {"id": ""} for one in made]


def test_the_history_knows_the_face_the_actor_and_the_reason(cli, app: App) -> None:
    cli("core", "customer", "create", "--name", "Anna", "--reason", "met at the fair")
    with app.db.read() as connection:
        row = connection.execute(
            select(CHANGE_SET).where(CHANGE_SET.c.action == "core.customer.create")
        ).one()

    assert (row.face, row.actor, row.reason) == ("cli", "system:cli", "met at the fair")


def test_a_field_named_reason_is_also_the_reason_of_the_change(cli, app: App) -> None:
    customer = cli.customer("--name", "Anna")
    made = cli.json(
        "core",
        "decision",
        "create",
        "--customer-id",
        customer,
        "--question",
        "Discount?",
        "--chosen",
        "yes",
        "--options",
        '["yes", "no"]',
        "--reason",
        "an old friend",
        "--decided-at",
        "2026-01-31T10:00:00+03:00",
    )
    with app.db.read() as connection:
        reasons = set(connection.execute(select(CHANGE_SET.c.reason)).scalars())

    assert (made["reason"], made["options"]) == ("an old friend", ["yes", "no"])
    assert "an old friend" in reasons


def test_several_records_are_changed_together_or_not_at_all(cli, app: App) -> None:
    keys = [cli.customer("--name", name) for name in ("A", "B")]
    cli("core", "customer", "trash", *keys, GHOST, code=4)
    assert cli("core", "customer", "list", "--count").stdout == "2\n"

    cli("core", "customer", "trash", *keys)
    with app.db.read() as connection:
        rows = connection.execute(
            select(CHANGE_SET.c.rows).where(CHANGE_SET.c.action == "core.customer.trash")
        ).scalars()
        assert list(rows) == [2]
        assert connection.execute(select(CHANGE).where(CHANGE.c.kind == "trash")).all()


def test_values_may_come_as_json_from_stdin_or_a_file(cli, tmp_path: Path) -> None:
    piped = cli.json(
        "core", "customer", "create", "--json", "-", stdin='{"name": "Anna", "tags": ["a"]}'
    )
    (tmp_path / "one.json").write_text('{"name": "File", "kind": "organization"}', "utf-8")
    named = cli.json(
        "core", "customer", "create", "--json", str(tmp_path / "one.json"), "--name", "Option"
    )

    assert (piped["name"], piped["tags"]) == ("Anna", ["a"])
    assert (named["name"], named["kind"]) == ("Option", "organization")


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b'{"name": "a", "name": "b"}', "stands twice"),
        (b'["name"]', "takes an object"),
        (b'{"name": NaN}', "NaN is not a JSON number"),
        (b'{"name": "\\u0000"}', "NUL"),
        (b"\xff", "not UTF-8"),
        (b'{"nmae": "a"}', "Did you mean 'name'"),
        (b'{"rev": 7, "name": "a"}', "There is no field 'rev'"),
    ],
)
def test_json_passes_the_gate_of_every_face(cli, body: bytes, sentence: str) -> None:
    assert sentence in cli("core", "customer", "create", "--json", "-", stdin=body, code=2).stderr


# lists --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def people(cli) -> list[str]:
    return [
        cli.customer("--name", name, "--country", country)
        for name, country in (("Anna", "RU"), ("Boris", "DE"), ("Carla", "RU"))
    ]


def test_a_list_is_filtered_sorted_and_cut(cli, people: list[str]) -> None:
    rows = cli.json(
        "core",
        "customer",
        "list",
        "--filter",
        "country = RU",
        "--sort",
        "-name",
        "--fields",
        "name",
    )

    assert [row["name"] for row in rows["data"]] == ["Carla", "Anna"]
    assert set(rows["data"][0]) == {"id", "name"}


def test_all_goes_through_every_page(
    cli, people: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clientela.cli.reading.MOST_ROWS", 1)
    page = cli("core", "customer", "list", "--limit", "2", "-o", "id")
    everything = cli("core", "customer", "list", "--all", "-o", "id")

    assert page.stdout.split() == people[:0:-1]
    assert "There are more: --all" in page.stderr
    assert everything.stdout.split() == people[::-1]


def test_a_long_table_loses_no_line() -> None:
    lines = list(_as_table(iter({"n": n} for n in range(103)), ["n"], plain_cell))

    assert [line.strip() for line in lines] == ["n", *(str(n) for n in range(103))]


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("csv", "name,country\nCarla,RU\n"),
        ("tsv", "name\tcountry\nCarla\tRU\n"),
        ("table", "name   country\nCarla  RU\n"),
    ],
)
def test_a_list_has_several_forms(cli, people: list[str], form: str, expected: str) -> None:
    words = ("core", "customer", "list", "--limit", "1", "--columns", "name,country", "-o", form)

    assert cli(*words).stdout == expected


def test_jsonl_has_one_record_per_line(cli, people: list[str]) -> None:
    lines = cli("core", "customer", "list", "-o", "jsonl").stdout.splitlines()

    assert [json.loads(line)["name"] for line in lines] == ["Carla", "Boris", "Anna"]


def test_references_are_opened_and_words_are_searched(cli, people: list[str]) -> None:
    cli(
        "core",
        "identifier",
        "create",
        "--customer-id",
        people[0],
        "--kind",
        "inn",
        "--value",
        "7707083893",
    )
    opened = cli.json("core", "identifier", "list", "--expand", "customer")["data"][0]
    table = cli("core", "identifier", "list", "--fields", "value", "--expand", "customer")
    found = cli("core", "customer", "list", "-q", "borI", "-o", "id")

    assert opened["customer"]["name"] == "Anna"
    assert table.stdout.splitlines()[1].split() == ["7707083893", "Anna"]
    assert found.stdout.split() == [people[1]]


def test_a_record_cannot_write_escape_codes_to_the_terminal() -> None:
    assert (
        one_line("a\x1b[31mred\nb\u202e")
        == "a\N{REPLACEMENT CHARACTER}[31mred b\N{REPLACEMENT CHARACTER}"
    )


def test_the_card_is_shown(cli, people: list[str]) -> None:
    cli(
        "core",
        "interaction",
        "create",
        "--customer-id",
        people[0],
        "--channel",
        "phone",
        "--at",
        "2026-01-31T10:00:00Z",
        "--subject",
        "Roof leaks",
    )
    card = cli.json("core", "customer", "card", people[0])
    shown = cli("core", "customer", "show", people[0]).stdout

    assert card["sections"]["core"]["interactions"][0]["subject"] == "Roof leaks"
    assert "Roof leaks" in shown
    assert "interaction_count" in shown


# actions ------------------------------------------------------------------------------------------------------------


def test_an_action_without_a_record_has_its_place(cli) -> None:
    made = cli.json("core", "token", "issue", "--name", "ci", "--roles", "reader", "--days", "30")
    wrong = cli("core", "token", "issue", "--name", "ci", "--roles", "raeder", code=2)

    assert made["token"].startswith("clt_")
    assert "Did you mean 'reader'?" in wrong.stderr


def test_an_action_on_a_record_takes_a_secret_from_stdin_only(cli, app: App) -> None:
    user = cli.json("user", "add", "anna@example.com")["id"]
    cli("core", "user", "set-password", user, "--password-stdin", stdin="correct horse battery\n")
    argument = cli("core", "user", "set-password", user, "--password", "correct horse", code=2)
    short = cli("core", "user", "set-password", user, "--password-stdin", stdin="short\n", code=2)

    assert app.directory.by_password("anna@example.com", "correct horse battery").name == "anna"
    assert "error[usage]: No such option '--password'" in argument.stderr
    assert "10 to 200 characters" in short.stderr
    assert "correct horse battery" not in str(cli("event", "tail", "-o", "jsonl").stdout)


# what is refused ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        ("list --filter name==", 2, "error[bad-syntax]: Column"),
        ("list --filter nmae=1", 2, "Did you mean 'name'?"),
        ("list --filter name=a;drop", 2, "error[bad-syntax]"),
        ("list --sort nmae", 2, "Did you mean 'name'?"),
        ("list --fields password_hash", 2, "has no field 'password_hash'"),
        ("list --expand nobody", 2, "has no reference 'nobody'"),
        ("list --limit 0", 2, "a number from 1 to 200"),
        ("list --limit x", 2, "error[usage]"),
        ("list --after rubbish", 2, "error["),
        ("show nonsense", 4, "There is no customer nonsense."),
        (f"show {GHOST}", 4, "There is no customer"),
        (f"update {GHOST} --name x", 4, "There is no customer"),
        (f"update {GHOST}", 2, "Nothing to be changed was named."),
        (f"update {GHOST} --kind person", 2, "No such option '--kind'"),
        ("create", 2, "A customer needs a name"),
        ("create --name x --email nope", 2, "where  /email"),
        ("create --name x --birth-date 31.02.2026", 2, "is not a day of the calendar"),
        ("create --name x --kind robot", 2, "is not one of person, organization"),
        ("create --nmae x", 2, "No such option '--nmae'"),
        ("create --name x --null nmae", 2, "Did you mean 'name'?"),
        ("create --name x --owner-id usr_01JD0000000000000000000000", 2, "There is no user"),
        ("creat --name x", 2, "fix    clientela core customer create"),
        (f"purge {GHOST}", 2, "--yes"),
        ("create --json no-such-file.json", 1, "No such file"),
    ],
)
def test_what_cannot_be_done_is_a_sentence_and_an_exit_code(
    cli, words: str, code: int, sentence: str
) -> None:
    result = cli("core", "customer", *words.split(), code=code)

    assert sentence in result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.stderr


def test_all_wrong_values_are_named_at_once_and_as_a_problem_document(cli) -> None:
    words = ("core", "customer", "create", "--name", "x", "--email", "nope", "--country", "QQ")
    problem = json.loads(cli(*words, "-o", "json", code=2).stderr)

    assert (problem["code"], problem["status"]) == ("invalid", 422)
    assert [one["pointer"] for one in problem["errors"]] == ["/email", "/country"]


def test_a_revision_that_is_gone_is_a_conflict(cli) -> None:
    key = cli.customer("--name", "Anna")
    cli("core", "customer", "update", key, "--name", "Olga")

    assert (
        "error[stale]"
        in cli("core", "customer", "update", key, "--rev", "1", "--name", "X", code=6).stderr
    )


def test_half_a_character_is_refused_before_anything_else(cli) -> None:
    assert (
        "error[bad-syntax]" in cli("core", "customer", "create", "--name", "\udcff", code=2).stderr
    )


def test_a_user_acts_with_the_rights_of_a_user(cli) -> None:
    cli("user", "add", "reader@example.com", "--role", "reader")
    key = cli.customer("--name", "Anna")

    assert key in cli("--as", "reader@example.com", "core", "customer", "list").stdout
    refused = cli(
        "core", "customer", "update", key, "--name", "X", "--as", "reader@example.com", code=5
    )
    assert "error[forbidden]: This needs the permission core.customer.update." in refused.stderr
    assert (
        "error[unauthenticated]"
        in cli("core", "customer", "list", "--as", "no@example.com", code=5).stderr
    )


def test_help_of_a_record_speaks_of_its_fields(cli) -> None:
    help_ = cli("core", "customer", "create", "--help").stdout

    assert "--kind [person|organization]" in help_
    assert "Where the customer came from." in help_
    assert "--dry-run" in help_


def test_a_value_that_looks_like_a_folder_never_leads_into_another_deployment(cli) -> None:
    words = ("core", "customer", "create", "--name", "-C/tmp")
    unsure = CliRunner().invoke(root, list(words), env={"CLIENTELA_DIR": str(cli.folder)})

    assert unsure.exit_code in (2, 3)
    assert cli("core", "customer", "list", "--count").stdout == "0\n"
    assert cli.json("core", "customer", "create", "--name=-C/tmp")["name"] == "-C/tmp"
