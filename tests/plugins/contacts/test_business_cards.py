"""ORG and TITLE of a business card are an employment, and an employment is written as them."""

from __future__ import annotations

import io
from typing import Any

import pytest

from clientela.access.principal import SYSTEM, Principal, RoleRules
from clientela.app import App
from clientela.exchange import ImportOptions, import_file
from clientela.query import Question, list_page
from clientela_contacts.api import Employment
from clientela_sdk import Context, Customer

ANNA = """BEGIN:VCARD
VERSION:3.0
UID:anna
FN:Anna
ORG:Roof & Sons;Sales;North
TITLE:Manager
ROLE:Negotiator
END:VCARD
"""
ROOF = "BEGIN:VCARD\nVERSION:3.0\nUID:roof\nORG:Roof & Sons\nTEL:+74951234567\nEND:VCARD\n"


def take(app: App, cards: str, principal: Principal = SYSTEM) -> Any:
    report = import_file(
        app, principal, Customer.info, io.BytesIO(cards.encode()),
        options=ImportOptions(file="people.vcf"),
    )  # fmt: skip
    assert report.failed == 0
    return report


def exported(app: App, principal: Principal = SYSTEM) -> str:
    from clientela.exchange import export_vcards

    with app.acting_as(principal, face="test", writing=False) as ctx:
        data = b"".join(export_vcards(ctx, Question(sort="id")))
    return data.decode().replace("\r\n ", "").replace("\r\n", "\n")


def jobs(app: App) -> list[tuple[str, str | None, str | None]]:
    with app.acting_as(SYSTEM, face="test", writing=False) as ctx:
        question = Question(expand=("organization",), sort="id")
        return [
            (row["organization"]["name"], row["department"], row["title"])
            for row in list_page(ctx, Employment.info, question).rows
        ]


def customers(app: App) -> list[str]:
    with app.acting_as(SYSTEM, face="test", writing=False) as ctx:
        return [row["name"] for row in list_page(ctx, Customer.info, Question(sort="id")).rows]


def test_a_card_makes_an_employment_once(app):
    take(app, ANNA)
    assert take(app, ANNA).unchanged == 1

    assert jobs(app) == [("Roof & Sons", "Sales / North", "Manager")]
    assert customers(app) == ["Anna", "Roof & Sons"]


def test_the_card_is_written_as_it_was(app):
    take(app, ANNA)

    for line in ("ORG:Roof & Sons;Sales;North\n", "TITLE:Manager\n", "ROLE:Negotiator\n"):
        assert line in exported(app)


@pytest.mark.parametrize("cards", [ANNA + ROOF, ROOF + ANNA])
def test_the_organization_is_one_whichever_card_comes_first(app, cards):
    take(app, cards)

    assert sorted(customers(app)) == ["Anna", "Roof & Sons"]
    assert take(app, cards).unchanged == 2


def test_an_ended_employment_is_not_written(app):
    take(app, ANNA)

    def work(ctx: Context) -> None:
        job = ctx.session.query(Employment).one()
        ctx.run(ctx.app.registry.action("contacts.employment.end"), job, _Today())

    app.perform(SYSTEM, work, face="test")
    app.clock.forward(days=1)

    assert "TITLE" not in exported(app)


class _Today:
    ended_on = None


def test_two_employments_are_two(app):
    take(app, ANNA.replace("TITLE:Manager", "TITLE:Manager\nORG:Tennis club\nTITLE:Treasurer"))

    assert jobs(app) == [
        ("Roof & Sons", "Sales / North", "Manager"),
        ("Tennis club", None, "Treasurer"),
    ]


def test_who_may_make_no_employments_keeps_the_lines(app):
    some = Principal(kind="user", id="usr_x", name="x", roles=(RoleRules("r", ("core.*",)),))

    take(app, ANNA, some)

    assert jobs(app) == []
    assert "ORG:Roof & Sons;Sales;North\nTITLE:Manager\n" in exported(app)
