"""Business cards in and out: nothing is lost, nothing is doubled, nothing leaves that may not be seen."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event

from clientela.access.principal import SYSTEM, Principal, RoleRules
from clientela.app import App
from clientela.context import Context
from clientela.customers.entities import Address, CardDetail, Customer, Identifier
from clientela.errors import Forbidden
from clientela.exchange import ImportOptions, ImportReport, export_vcards, import_file
from clientela.exchange.vcards import CardProperty
from clientela.filters import parse
from clientela.hookspecs import hookimpl
from clientela.plugins.card import Plugin
from clientela.query import Question
from clientela.undoing import take_back

PIXEL = "R0lGODlhAQABAAAAACwAAAAAAQABAAA="

APPLE = f"""BEGIN:VCARD
VERSION:3.0
PRODID:-//Apple Inc.//iOS 17.0//EN
N:Петрова;Анна;Ивановна,Мария;Dr.;
FN:Dr. Анна Петрова
X-PHONETIC-FIRST-NAME:Anna
ORG:Roof & Sons;Sales;North
TITLE:Manager
item1.EMAIL;type=INTERNET;type=pref:Anna@Example.com
item1.X-ABLabel:_$!<Work>!$_
EMAIL;type=INTERNET;type=HOME:anna@home.example
TEL;type=CELL;type=VOICE;type=pref:+7 926 123-45-67
TEL;type=WORK;type=FAX:+7 495 123-45-67
item2.ADR;type=WORK;type=pref:;;Baumana 5\\nFloor 8;Kazan;;420000;Russia
item2.X-ABADR:ru
item3.URL;type=pref:http\\://example.com
item3.X-ABLabel:_$!<HomePage>!$_
item4.X-ABRELATEDNAMES;type=pref:Boris
item4.X-ABLabel:_$!<Spouse>!$_
item5.X-ABRELATEDNAMES:Vera
item5.X-ABLabel:_$!<Child>!$_
BDAY;X-APPLE-OMIT-YEAR=1604;value=date:1604-05-01
PHOTO;ENCODING=b;TYPE=GIF:{PIXEL}
END:VCARD
"""

ANDROID = """BEGIN:VCARD
VERSION:2.1
N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=D0=96=D1=83=D0=BA;;;;
FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=D0=96=D1=83=D0=BA
TEL;CELL;PREF:+79261112233
TEL;WORK:+79261112233
TEL;WORK:112
NOTE:first
NOTE:second
X-ANDROID-CUSTOM:vnd.android.cursor.item/nickname;Bug;1;;;;
END:VCARD
BEGIN:VCARD
VERSION:2.1
EMAIL;PREF:jane@example.com
CATEGORIES:My Contacts
END:VCARD
"""

OUTLOOK = """BEGIN:VCARD
VERSION:2.1
N:Doe;John;;Mr.;III
FN:John Doe III
NOTE;ENCODING=QUOTED-PRINTABLE:First=0D=0A=0D=0AThird=0D=
=0A
TEL;WORK;VOICE:BusinessPhone
ADR;WORK:;TheOffice;123 Main St;Austin;TX;12345;United States of America
LABEL;WORK;ENCODING=QUOTED-PRINTABLE:123 Main St=0D=0AAustin
KEY;X509;ENCODING=BASE64:
    MIID
    ITCC

BDAY:19800321
EMAIL;PREF;INTERNET:jdoe@example.com
REV:20121012T210525Z
END:VCARD
"""

FOUR = """BEGIN:VCARD
VERSION:4.0
KIND:group
UID:urn:uuid:4fbe8971-0bc3-424c-9c26-36c3e1eff6b1
FN:Choir
MEMBER:urn:uuid:03a0e51f-d1aa-4385-8a53-e29025acd8af
LANG;PREF=1:fr
TZ:Europe/Moscow
IMPP;TYPE=work:xmpp:choir@example.com
X-SOCIALPROFILE;TYPE=mastodon:https://example.com/@choir
CATEGORIES:music,north
RELATED;TYPE=contact:http://example.com/directory.vcf
ANNIVERSARY:19960415
GENDER:O;a choir
GEO:geo:37.386013,-122.082932
END:VCARD
"""

FIXTURES = {"apple": APPLE, "android": ANDROID, "outlook": OUTLOOK, "four": FOUR}

Take = Callable[..., ImportReport]


@pytest.fixture
def take_cards(app: App) -> Take:
    """Import cards: `take_cards(APPLE, mode="update")`."""

    def taken(cards: str | bytes, principal: Principal = SYSTEM, **how: Any) -> ImportReport:
        data = cards if isinstance(cards, bytes) else cards.encode()
        options = ImportOptions(
            file="people.vcf", mode=how.pop("mode", None), **how.pop("options", {})
        )
        report = import_file(
            app, principal, Customer.info, io.BytesIO(data), options=options, **how
        )
        assert report.read == report.created + report.updated + report.unchanged + report.failed
        return report

    return taken


def exported(app: App, version: Any = "4.0", principal: Principal = SYSTEM, **how: Any) -> bytes:
    with app.acting_as(principal, face="test", writing=False) as ctx:
        return b"".join(export_vcards(ctx, Question(sort="id", **how), version))


def unfolded(data: bytes) -> str:
    return data.decode().replace("\r\n ", "").replace("\r\n", "\n")


def without_moment(data: bytes) -> bytes:
    return re.sub(rb"REV:.*\r\n", b"", data)


def purge_all(app: App) -> None:
    def work(ctx: Context) -> None:
        for customer in ctx.session.query(Customer).all():
            ctx.run(ctx.app.registry.action("core.customer.purge"), customer)

    app.perform(SYSTEM, work, face="test")


@pytest.mark.parametrize("name", FIXTURES)
@pytest.mark.parametrize("version", ["3.0", "4.0"])
def test_in_out_and_in_again_is_a_fixpoint(app, take_cards, name, version):
    take_cards(FIXTURES[name])
    first = exported(app, version)

    assert take_cards(first).updated == 0
    assert exported(app, version) == first
    purge_all(app)
    assert take_cards(first).failed == 0
    assert without_moment(exported(app, version)) == without_moment(first)


@pytest.mark.parametrize("name", FIXTURES)
def test_the_same_file_twice_changes_nothing(app, take_cards, name):
    cards = FIXTURES[name].count("BEGIN:")
    assert take_cards(FIXTURES[name]).created == cards
    before = exported(app)

    again = take_cards(FIXTURES[name])

    assert (again.unchanged, again.sets) == (cards, [])
    assert exported(app) == before


def test_a_card_fills_the_customer(take_cards, rows):
    take_cards(APPLE)

    (anna,) = rows(Customer)
    assert (anna["name"], anna["kind"]) == ("Dr. Анна Петрова", "person")
    assert anna["person"] == {
        "family": "Петрова",
        "given": "Анна",
        "patronymic": "Ивановна Мария",
        "prefix": "Dr.",
    }
    assert (anna["email"], anna["phone"]) == ("anna@example.com", "+79261234567")
    assert (anna["website"], anna["birth_date"]) == ("http://example.com", None)
    assert [(i["kind"], i["value"]) for i in rows(Identifier)] == [("email", "anna@home.example")]
    (address,) = rows(Address)
    assert address["primary"]
    assert address["address"] == {
        "country": "RU",
        "city": "Kazan",
        "street": "Baumana 5, Floor 8",
        "postal_code": "420000",
    }


def test_what_no_field_takes_is_written_out_again(app, take_cards):
    take_cards(APPLE)

    card = unfolded(exported(app))

    assert f"PHOTO:data:image/gif;base64,{PIXEL}\n" in card
    assert "TEL;TYPE=work,fax:+7 495 123-45-67\n" in card
    assert re.search(r"(item\d)\.EMAIL;PREF=1:Anna@Example.com\n\1\.X-ABLABEL:_\$!<Work>!", card)
    for name, label in (("Boris", "Spouse"), ("Vera", "Child")):
        assert re.search(
            rf"(item\d)\.X-ABRELATEDNAMES.*:{name}\n\1\.X-ABLABEL:_\$!<{label}>!\$_\n", card
        )
    assert "BDAY;X-APPLE-OMIT-YEAR=1604:16040501\n" in card


def test_a_changed_value_is_written_and_its_old_spelling_is_not(app, take_cards):
    take_cards(APPLE)

    def work(ctx: Context) -> None:
        anna = ctx.session.query(Customer).one()
        ctx.run(ctx.app.registry.action("core.customer.update"), anna, {"email": "new@example.com"})

    app.perform(SYSTEM, work, face="test")

    card = unfolded(exported(app))
    assert "EMAIL:new@example.com\n" in card
    assert "Anna@Example.com" not in card


def test_every_value_that_cannot_be_read_is_told_and_kept(app, take_cards):
    bad = "BEGIN:VCARD\nVERSION:3.0\nFN:Anna\nTEL:call me\nEMAIL:nowhere\nBDAY:in May\nEND:VCARD\n"

    report = take_cards(bad)

    assert report.created == 1
    assert {(g.column, g.samples[0]) for g in report.groups} == {
        ("TEL", "4: call me"),
        ("EMAIL", "5: nowhere"),
        ("BDAY", "6: in May"),
    }
    card = unfolded(exported(app))
    for line in ("TEL:call me\n", "EMAIL:nowhere\n", "BDAY:in May\n"):
        assert line in card


def test_a_card_without_a_name_is_called_by_what_it_has(take_cards, rows):
    take_cards("BEGIN:VCARD\nEMAIL:jane@example.com\nEND:VCARD\nBEGIN:VCARD\nORG:Roof;Sales\nEND:VCARD\n")  # fmt: skip

    assert [(c["name"], c["kind"]) for c in rows(Customer)] == [
        ("jane@example.com", "person"),
        ("Roof", "organization"),
    ]


def test_a_card_without_anything_fails_alone(take_cards):
    report = take_cards("BEGIN:VCARD\nX-A:b\nEND:VCARD\nBEGIN:VCARD\nFN:Anna\nEND:VCARD\n")

    assert (report.created, report.failed) == (1, 1)
    assert [(g.column, g.rows) for g in report.groups] == [("name", [1])]


# finding the same customers again -----------------------------------------------------------------------------------

ANNA = "BEGIN:VCARD\nVERSION:4.0\nUID:u1\nFN:Anna\nEMAIL:anna@example.com\nNOTE:old\nEND:VCARD\n"


def test_the_uid_finds_a_customer_whatever_else_has_changed(take_cards, rows):
    take_cards(ANNA)

    report = take_cards(ANNA.replace("FN:Anna", "FN:Anna Berg").replace("old", "new"))

    assert report.updated == 1
    (anna,) = rows(Customer)
    assert (anna["name"], anna["note"]) == ("Anna Berg", "new")


def test_email_and_name_find_a_customer_without_a_uid(take_cards, rows):
    take_cards(ANNA)

    report = take_cards("BEGIN:VCARD\nFN:ANNA\nEMAIL:Anna@Example.com\nTEL:+79261234567\nEND:VCARD\n")  # fmt: skip

    assert (report.updated, report.created) == (1, 0)
    assert [c["phone"] for c in rows(Customer)] == ["+79261234567"]


def test_two_cards_of_one_file_may_speak_of_one_customer(take_cards):
    report = take_cards(ANNA + ANNA.replace("NOTE:old", "X-CLUB:chess"))

    assert (report.created, report.updated) == (1, 1)


def test_another_name_at_the_same_address_is_somebody_else(take_cards):
    take_cards(ANNA)

    assert take_cards(ANNA.replace("FN:Anna", "FN:Boris").replace("u1", "u2")).created == 1


def test_a_card_does_not_take_away_what_it_does_not_mention(app, take_cards, rows):
    take_cards(APPLE.replace("FN:", "UID:a\nFN:"))

    take_cards("BEGIN:VCARD\nUID:a\nFN:Anna\nCATEGORIES:vip\nEND:VCARD\n")

    (anna,) = rows(Customer)
    assert (anna["name"], anna["email"], anna["tags"]) == ("Anna", "anna@example.com", ["vip"])
    assert b"PHOTO" in exported(app)


def test_a_new_picture_takes_the_place_of_the_old_one(app, take_cards):
    card = "BEGIN:VCARD\nUID:a\nFN:Anna\nPHOTO:http://example.com/{}.png\nEND:VCARD\n"
    take_cards(card.format("old"))

    take_cards(card.format("new"))

    assert exported(app).count(b"PHOTO") == 1
    assert b"new.png" in exported(app)


@pytest.mark.parametrize(
    ("mode", "note", "phone", "outcome"),
    [
        ("create", "old", None, "unchanged"),
        ("update", "new", "+79261234567", "updated"),
        ("upsert", "new", "+79261234567", "updated"),
        ("fill-blanks", "old", "+79261234567", "updated"),
    ],
)
def test_the_mode_says_what_happens_to_known_customers(
    take_cards, rows, mode, note, phone, outcome
):
    take_cards(ANNA)

    report = take_cards(ANNA.replace("NOTE:old", "NOTE:new\nTEL:+79261234567"), mode=mode)

    assert getattr(report, outcome) == 1
    assert [(c["note"], c["phone"]) for c in rows(Customer)] == [(note, phone)]


def test_updating_makes_no_new_customers(take_cards):
    assert take_cards(ANNA, mode="update").failed == 1


def test_a_customer_in_the_trash_is_not_made_twice(app, take_cards):
    take_cards(ANNA)

    def work(ctx: Context) -> None:
        anna = ctx.session.query(Customer).one()
        ctx.run(ctx.app.registry.action("core.customer.trash"), anna)

    app.perform(SYSTEM, work, face="test")

    report = take_cards(ANNA)
    assert (report.failed, report.created) == (1, 0)
    assert "trash" in report.groups[0].sentence


def test_an_undone_import_can_be_repeated(app, take_cards, rows):
    report = take_cards(APPLE)
    app.perform(SYSTEM, lambda ctx: take_back(ctx, report.sets[0]), face="test")
    assert rows(Customer) == []

    assert take_cards(APPLE).created == 1
    assert len(rows(Customer)) == 1


def test_what_was_kept_survives_a_purge_that_is_taken_back(app, take_cards):
    take_cards(APPLE.replace("FN:", "UID:a\nFN:"))
    before = unfolded(exported(app))

    def work(ctx: Context) -> str:
        ctx.run(ctx.app.registry.action("core.customer.purge"), ctx.session.query(Customer).one())
        return ctx.change_set().id

    set_id = app.perform(SYSTEM, work, face="test")
    assert exported(app) == b""
    app.perform(SYSTEM, lambda ctx: take_back(ctx, set_id), face="test")

    assert unfolded(exported(app)) == before


def test_a_dry_run_writes_nothing(take_cards, rows):
    assert take_cards(APPLE, dry_run=True).created == 1
    assert rows(Customer) == rows(CardDetail) == []


# who may do what ----------------------------------------------------------------------------------------------------


def role(*permissions: str, **more: Any) -> Principal:
    return Principal(
        kind="user", id="usr_x", name="x", roles=(RoleRules("r", permissions, **more),)
    )


def test_a_masked_field_does_not_leave(app, take_cards):
    take_cards(APPLE)

    card = unfolded(exported(app, principal=role("*", hidden_classes=frozenset({"pii"}))))

    for secret in ("Анна", "Example.com", "926", "Boris", "PHOTO", "Kazan"):
        assert secret not in card
    assert "FN:cus_" in card


def test_rows_that_may_not_be_exported_stay(app, take_cards):
    take_cards(ANNA + ANNA.replace("Anna", "Vip").replace("u1", "u2"))
    some = role("core.*", scopes={"core.customer": 'name = "Vip"'})

    assert re.findall("FN:(.*)\n", unfolded(exported(app, principal=some))) == ["Vip"]


def test_identifiers_that_may_not_be_exported_stay(app, take_cards):
    take_cards(APPLE)
    some = role("core.customer.*", "core.identifier.read")

    assert "anna@home.example" not in unfolded(exported(app, principal=some))


@pytest.mark.parametrize("missing", ["import", "create", "update"])
def test_an_import_needs_its_permissions(take_cards, missing):
    with pytest.raises(Forbidden, match=missing):
        take_cards(ANNA, role("core.*", f"-core.customer.{missing}"))


def test_a_customer_who_may_not_be_changed_is_not(take_cards, rows):
    take_cards(ANNA)
    reader = role("core.*", scopes={"core.customer": 'name = "Boris"'})

    report = take_cards(ANNA.replace("old", "new"), reader)

    assert report.failed == 1
    assert [c["note"] for c in rows(Customer)] == ["old"]


# plugins ------------------------------------------------------------------------------------------------------------


class Nicknames:
    """A plugin that has a field for nicknames, here a dictionary."""

    def __init__(self) -> None:
        self.known: dict[str, str] = {}

    @hookimpl
    def card_taking(self, customer: Customer, properties: Any) -> Any:
        mine = [one for one in properties if one.name == "NICKNAME"]
        if mine:
            self.known[customer.id] = mine[0].text
        return {one: type(one).of("NICKNAME", one.text) for one in mine}

    @hookimpl
    def card_lines(self, customers: Any) -> Any:

        return {
            key: [CardProperty.of("NICKNAME", self.known[key])]
            for key in customers
            if key in self.known
        }


@pytest.fixture
def nicknames() -> Nicknames:
    return Nicknames()


@pytest.fixture
def plugins(plugins: list[Plugin], nicknames: Nicknames) -> list[Plugin]:
    return [*plugins, Plugin(name="nicknames", title="Nicknames", hooks=[nicknames])]


def test_a_plugin_takes_a_property_and_writes_it(app, take_cards, rows, nicknames):
    take_cards("BEGIN:VCARD\nFN:Anna\nNICKNAME;TYPE=home:Annie\nEND:VCARD\n")
    assert list(nicknames.known.values()) == ["Annie"]
    assert "NICKNAME;TYPE=home:Annie\n" in unfolded(exported(app))

    nicknames.known = dict.fromkeys(nicknames.known, "Ann")

    assert re.findall("NICKNAME.*", unfolded(exported(app))) == ["NICKNAME:Ann"]


# size ---------------------------------------------------------------------------------------------------------------


def test_an_export_asks_as_often_for_many_as_for_few(app, take_cards):
    asked: list[str] = []

    def count(question: Question) -> int:
        asked.clear()
        with app.acting_as(SYSTEM, face="test", writing=False) as ctx:
            event.listen(ctx.connection, "before_cursor_execute", lambda *a: asked.append(a[2]))
            assert b"".join(export_vcards(ctx, question))
        return len(asked)

    take_cards("".join(ANNA.replace("u1", f"u{n}").replace("Anna", f"Anna {n}") for n in range(30)))

    assert count(Question()) == count(Question(filter=parse('name = "Anna 7"')))
