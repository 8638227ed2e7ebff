"""The public names of the sdk are a promise: a change of them must be a visible line of a diff."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import clientela_sdk

PUBLIC = [
    "Action",
    "Address",
    "AddressId",
    "Amount",
    "App",
    "Attachment",
    "AttachmentId",
    "CardProperty",
    "ChangesUndone",
    "Check",
    "ConfigPart",
    "Conflict",
    "Consent",
    "ConsentId",
    "Context",
    "Customer",
    "CustomerId",
    "Day",
    "Decision",
    "DecisionId",
    "Entity",
    "EntityInfo",
    "Fact",
    "Field",
    "FieldProblem",
    "Forbidden",
    "IdOf",
    "Identifier",
    "IdentifierId",
    "Input",
    "Instant",
    "Interaction",
    "InteractionId",
    "Invalid",
    "Kind",
    "Mapped",
    "Misconfigured",
    "Money",
    "NotFound",
    "Offer",
    "Part",
    "PersonName",
    "Plugin",
    "PostalAddress",
    "Principal",
    "ReadAs",
    "RecordChanged",
    "RecordCreated",
    "RecordPurged",
    "RecordRestored",
    "RecordTrashed",
    "RecordsChanged",
    "RecordsImported",
    "Reference",
    "Refusal",
    "Role",
    "RoleId",
    "Subscription",
    "Token",
    "TokenId",
    "Unavailable",
    "User",
    "UserId",
    "VERBS",
    "_",
    "action",
    "address",
    "boolean",
    "choice",
    "choices",
    "country",
    "currency",
    "day",
    "decimal",
    "duration",
    "email",
    "field",
    "file",
    "hookimpl",
    "hookspec",
    "instant",
    "integer",
    "json",
    "language",
    "money",
    "on",
    "owner",
    "part_of",
    "percent",
    "person_name",
    "phone",
    "readable_names",
    "ref",
    "related",
    "rich_text",
    "subject",
    "tags",
    "text",
    "url",
    "visible",
]

FIXTURES = [
    "app",
    "as_role",
    "as_user",
    "cli",
    "client",
    "clock",
    "ctx",
    "db_url",
    "facts",
    "make",
    "outbox",
    "plugins",
    "postgres_databases",
    "recipes",
    "settings",
    "sqlite_databases",
    "token",
]


def test_the_public_names_are_these() -> None:
    assert sorted(clientela_sdk.__all__) == sorted(PUBLIC)


def test_every_public_name_is_there() -> None:
    assert [name for name in clientela_sdk.__all__ if not hasattr(clientela_sdk, name)] == []


def test_the_fixtures_are_these() -> None:
    tree = ast.parse(Path(_file("clientela_sdk.testing.fixtures")).read_text("utf-8"))
    found = [
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
        and any("fixture" in ast.unparse(mark) for mark in node.decorator_list)
    ]

    assert sorted(found) == FIXTURES


def test_the_door_opens_without_the_test_kit() -> None:
    """A deployment has no pytest."""
    tree = ast.parse(Path(_file("clientela_sdk")).read_text("utf-8"))
    modules = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]

    assert not any("testing" in module or "pytest" in module for module in modules)


def _file(module: str) -> str:
    found = importlib.import_module(module).__file__
    assert found
    return found
