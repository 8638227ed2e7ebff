"""Files on the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from clientela.access.entities import Role, User


def rows(result) -> Any:
    return json.loads(result.stdout)["data"]


def test_a_file_is_attached_and_fetched(cli, tmp_path, anna):
    (tmp_path / "Договор.txt").write_text("подписан", "utf-8")

    made = cli(
        "core", "attachment", "add", anna.public_id, "Договор.txt", "--note", "signed", "-o", "json"
    )
    key = json.loads(made.stdout)["id"]
    (tmp_path / "out").mkdir()
    fetched = cli("core", "attachment", "get", key, "--out", "out")

    assert (made.exit_code, fetched.exit_code) == (0, 0)
    assert (tmp_path / "out" / "Договор.txt").read_text("utf-8") == "подписан"
    assert cli("core", "attachment", "get", key).stdout_bytes == "подписан".encode()


def test_a_dry_run_attaches_nothing(cli, tmp_path, anna):
    (tmp_path / "a.txt").write_text("a")

    assert cli("core", "attachment", "add", anna.public_id, "a.txt", "--dry-run").exit_code == 0
    assert rows(cli("core", "attachment", "list", "-o", "json")) == []


def test_a_user_attaches_with_the_rights_of_that_user(cli, tmp_path, make, anna):
    make(
        Role, name="clerk", permissions=["core.attachment.*", "core.customer.*", "core.file.create"]
    )
    make(Role, name="guest", permissions=["core.attachment.*", "core.customer.read"])
    for name in ("clerk", "guest"):
        make(User, email=f"{name}@example.com", roles=[name])
    (tmp_path / "a.txt").write_text("a")

    def add(who):
        return cli(
            "core", "attachment", "add", anna.public_id, "a.txt", "--as", f"{who}@example.com"
        )

    assert add("clerk").exit_code == 0
    assert add("guest").exit_code == 5


def test_a_fetch_that_cannot_be_written_leaves_no_half_file(cli, tmp_path, attached, anna):
    mine = attached(anna)

    failed = cli("core", "attachment", "get", mine.public_id, "--out", "nowhere/x.txt")

    assert failed.exit_code == 1
    assert "cannot be written" in failed.stderr
    assert not list(Path(tmp_path).glob("**/*.part"))


def test_files_are_checked_and_swept(app, cli, clock, attached, send_as, anna):
    from clientela.access.principal import SYSTEM

    mine = attached(anna, b"mine")
    send_as(SYSTEM, b"unwanted")
    clock.forward(days=2)
    assert cli("data", "files", "check").exit_code == 0

    app.files.delete(mine.file["sha256"])
    checked = cli("data", "files", "check", "-o", "json")
    swept = cli("data", "files", "sweep", "-o", "json")

    assert [row["state"] for row in rows(checked)] == ["missing", "orphaned"]
    assert checked.exit_code == 1
    assert json.loads(swept.stdout)["receipts"] == 2


def test_the_doctor_says_where_files_are_kept(app, cli):
    found = rows(cli("doctor", "-o", "json"))

    assert {
        "section": "files",
        "state": "ok",
        "finding": f"Files are kept in {app.files.where}.",
        "fix": "",
    } in found
