"""Sample records: who works where among the demo customers, and three groups."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from random import Random

from sqlalchemy import select

from clientela_contacts.actions import add_members
from clientela_contacts.api import find_group
from clientela_contacts.entities import ROLES, Employment, Group
from clientela_contacts.schemas import MOST_MEMBERS, Members
from clientela_sdk import Context, Customer, hookimpl

EMPLOYED = 0.8
WITH_A_PAST = 0.2
CHUNK = 200

TITLES = {
    "en": [
        "Managing director", "Head of purchasing", "Accountant", "Office manager", "Sales manager",
        "Site engineer", "Head of logistics", "Marketing manager", "IT administrator", "Lawyer",
    ],
    "ru": [
        "Генеральный директор", "Начальник отдела закупок", "Главный бухгалтер", "Офис-менеджер",
        "Менеджер по продажам", "Инженер", "Начальник склада", "Маркетолог", "Системный администратор", "Юрист",
    ],
}  # fmt: skip
DEPARTMENTS = {
    "en": ["Board", "Purchasing", "Finance", "Sales", "Production", "IT"],
    "ru": ["Дирекция", "Отдел закупок", "Бухгалтерия", "Отдел продаж", "Производство", "ИТ-отдел"],
}
GROUPS = {
    "Newsletter": "Readers of the monthly letter.",
    "Ключевые клиенты": "Те, кому звоним первыми.",
    "Autumn trade fair": "Invited to our stand; call to confirm the time.",
}


@hookimpl
def demo_records(ctx: Context, rng: Random, customers: list[str]) -> None:
    """Employ most of the persons at the organizations, and gather some customers in groups."""
    found = list(_load(ctx, customers))
    people = [one for one in found if one.kind == "person"]
    firms = [one for one in found if one.kind == "organization"]
    for place, person in enumerate(people if firms else []):
        _employ(ctx, rng, person, firms)
        if place % CHUNK == 0:
            ctx.flush()
    for name, about in GROUPS.items():
        _gather(ctx, rng, name, about, customers)


def _load(ctx: Context, keys: list[str]) -> Iterator[Customer]:
    for start in range(0, len(keys), CHUNK):
        query = select(Customer).where(Customer.id.in_(keys[start : start + CHUNK]))
        by_key = {one.id: one for one in ctx.session.execute(query).scalars()}
        yield from (by_key[key] for key in keys[start : start + CHUNK] if key in by_key)


def _employ(ctx: Context, rng: Random, person: Customer, firms: list[Customer]) -> None:
    if rng.random() > EMPLOYED:
        return
    began = ctx.today - timedelta(days=rng.randint(60, 3_000))
    ctx.add(_job(rng, person, rng.choice(firms), started_on=began, primary=True))
    if rng.random() < WITH_A_PAST:
        before = began - timedelta(days=rng.randint(200, 1_500))
        ended = began - timedelta(days=rng.randint(1, 90))
        ctx.add(_job(rng, person, rng.choice(firms), started_on=before, ended_on=ended))


def _job(rng: Random, person: Customer, firm: Customer, **known: object) -> Employment:
    words = "ru" if firm.language == "ru" else "en"
    return Employment(
        person_id=person.id, organization_id=firm.id, title=rng.choice(TITLES[words]),
        department=rng.choice(DEPARTMENTS[words]), role=rng.choice(list(ROLES)), **known,
    )  # fmt: skip


def _gather(ctx: Context, rng: Random, name: str, about: str, customers: list[str]) -> None:
    group = find_group(ctx, name) or ctx.add(Group(name=name, about=about))
    ctx.flush()
    members = rng.sample(customers, min(len(customers) // 5, MOST_MEMBERS))
    if members:
        add_members(ctx, group, Members(customers=members))
