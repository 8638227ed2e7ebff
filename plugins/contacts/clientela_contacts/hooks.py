"""Where contacts has a say: when an employment is saved, on cards, and when somebody has left."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import FromClause, bindparam, func, or_, select

from clientela_contacts import rules
from clientela_contacts.actions import employ
from clientela_contacts.entities import (
    Employment,
    Group,
    Membership,
    PrimaryEmploymentExists,
    WrongSide,
)
from clientela_contacts.facts import EmploymentEnded
from clientela_sdk import (
    CardProperty,
    Context,
    Customer,
    Entity,
    Interaction,
    hookimpl,
    on,
    readable_names,
    visible,
)

NEWEST = 20
SIDES = {"person_id": "person", "organization_id": "organization"}


# saving ---------------------------------------------------------------------------------------------------------------


@hookimpl
def record_saving(ctx: Context, record: Entity, created: bool) -> None:  # noqa: FBT001 - the spec has it so
    """Refuse an employment between the wrong kinds of customers, and a person's second primary one."""
    if not isinstance(record, Employment) or record.deleted_at is not None:
        return
    if created:
        _require_sides(ctx, record)
    if record.primary and record.is_current(ctx.today):
        _require_only_primary(ctx, record)


def _require_sides(ctx: Context, employment: Employment) -> None:
    for field, kind in SIDES.items():
        customer = _customer(ctx, employment.get(field))
        if customer is not None and customer.kind != kind:
            raise WrongSide(field)


def _customer(ctx: Context, key: str) -> Customer | None:
    """Find a customer, also one that is written together with the employment."""
    found = ctx.session.get(Customer, key)
    if found is not None:
        return found
    new = (one for one in ctx.session.new if isinstance(one, Customer) and one.id == key)
    return next(new, None)


def _require_only_primary(ctx: Context, employment: Employment) -> None:
    # The lock lets two who make an employment primary at once take turns; SQLite's writers do so anyway.
    ctx.connection.execute(
        select(Customer.id).where(Customer.id == employment.person_id).with_for_update()
    )
    for other in _other_employments(ctx, employment):
        if other.deleted_at is None and other.primary and other.is_current(ctx.today):
            raise PrimaryEmploymentExists(_name(ctx, other.organization_id))


def _other_employments(ctx: Context, employment: Employment) -> list[Employment]:
    """List the person's other employments as this transaction will leave them, whoever may see them."""
    stored = select(Employment).where(
        Employment.person_id == employment.person_id, Employment.id != employment.id
    )
    return [
        *ctx.session.execute(stored).scalars(),
        *(
            one
            for one in ctx.session.new
            if isinstance(one, Employment)
            and one is not employment
            and one.person_id == employment.person_id
        ),
    ]


def _name(ctx: Context, key: str) -> str | None:
    """Give the name of a customer, unless this principal may not know it."""
    customer = ctx.find(Customer, key)
    shown = customer is not None and "name" in readable_names(ctx, Customer.info)
    return customer.name if customer is not None and shown else None


# the card -------------------------------------------------------------------------------------------------------------


@hookimpl
def customer_card_section(ctx: Context, customer: Customer) -> dict[str, Any] | None:
    """Show where a person works, or who works for an organization, and the customer's groups."""
    parts: dict[str, Any] = {}
    if ctx.can(Employment.info.permission("read")):
        parts |= _employments(ctx, customer)
    if ctx.can(Membership.info.permission("read")) and ctx.can(Group.info.permission("read")):
        parts |= _groups(ctx, customer)
    return parts or None


def _employments(ctx: Context, customer: Customer) -> dict[str, Any]:
    table, other = ctx.table(Employment.info), _other_side(ctx)
    here, there = table.c.person_id, table.c.organization_id
    if customer.kind != "person":
        here, there = there, here
    rules = [
        *visible(ctx, Employment.info, table, trashed=None),
        *visible(ctx, Customer.info, other, trashed=None),
    ]
    query = ctx.statement(
        ("contacts.employments", customer.kind),
        rules,
        lambda rules: (
            select(table, other.c.id.label("other"), other.c.name, func.count().over().label("all"))
            .join_from(table, other, other.c.id == there)
            .where(
                here == bindparam("key"),
                table.c.deleted_at.is_(None),
                other.c.deleted_at.is_(None),
                *rules,
            )
            .order_by(table.c.ended_on.is_not(None), table.c.primary.desc(), table.c.id.desc())
            .limit(NEWEST)
        ),
    )
    rows = ctx.connection.execute(query, {"key": customer.id}).all()
    names = readable_names(ctx, Customer.info)
    return {
        "employments": [_employment(row, named="name" in names) for row in rows],
        "employment_count": rows[0].all if rows else 0,
    }


# Made once, because copying the columns of a table costs more than asking it.
_OTHER = Customer.info.table.alias("other_side")


def _other_side(ctx: Context) -> FromClause:
    return _OTHER if ctx.past is None else ctx.table(Customer.info).alias("other_side")


def _employment(row: Any, *, named: bool) -> dict[str, Any]:
    return {
        "id": Employment.info.public_id(row.id),
        "with": {
            "id": Customer.info.public_id(row.other),
            "name": row.name if named else None,
        },
        "title": row.title,
        "department": row.department,
        "role": row.role,
        "started_on": row.started_on.isoformat() if row.started_on else None,
        "ended_on": row.ended_on.isoformat() if row.ended_on else None,
        "primary": row.primary,
    }


def _groups(ctx: Context, customer: Customer) -> dict[str, Any]:
    membership, group = ctx.table(Membership.info), ctx.table(Group.info)
    rules = [
        *visible(ctx, Membership.info, membership, trashed=None),
        *visible(ctx, Group.info, group, trashed=None),
    ]
    query = ctx.statement(
        ("contacts.groups",),
        rules,
        lambda rules: (
            select(group.c.id, group.c.name, func.count().over().label("all"))
            .join_from(membership, group, group.c.id == membership.c.group_id)
            .where(
                membership.c.customer_id == bindparam("key"),
                membership.c.deleted_at.is_(None),
                group.c.deleted_at.is_(None),
                *rules,
            )
            .order_by(group.c.name, group.c.id)
            .limit(NEWEST)
        ),
    )
    rows = ctx.connection.execute(query, {"key": customer.id}).all()
    return {
        "groups": [{"id": Group.info.public_id(row.id), "name": row.name} for row in rows],
        "group_count": rows[0].all if rows else 0,
    }


# business cards -------------------------------------------------------------------------------------------------------


@hookimpl
def card_taking(
    ctx: Context, customer: Customer, properties: Sequence[CardProperty]
) -> dict[CardProperty, CardProperty] | None:
    """Make employments of the organizations and titles on a person's card, paired in their order."""
    may = all(ctx.can(info.permission(verb)) for info, verb in _NEEDED)
    if customer.kind != "person" or not may:
        return None
    titles = [one for one in properties if one.name == "TITLE"]
    taken: dict[CardProperty, CardProperty] = {}
    for one in properties:
        name, *units = one.parts if one.name == "ORG" else [""]
        job = rules.job_of(name, units, titles[0].text if titles else "")
        if one.name != "ORG" or job is None:
            continue
        taken[one] = CardProperty.of_parts("ORG", rules.org_parts(job.organization, job.department))
        if titles:
            taken[titles.pop(0)] = CardProperty.of("TITLE", job.title)
        employ(ctx, customer, job)
    return taken


_NEEDED = (
    (Customer.info, "read"),
    (Employment.info, "read"),
    (Employment.info, "create"),
    (Employment.info, "update"),
)


@hookimpl
def card_lines(ctx: Context, customers: Sequence[str]) -> dict[str, list[CardProperty]] | None:
    """Write where persons work today, the primary employment first."""
    if not all(ctx.can(Employment.info.permission(verb)) for verb in ("read", "export")):
        return None
    if "name" not in readable_names(ctx, Customer.info):
        return None
    table, other = ctx.table(Employment.info), _other_side(ctx)
    query = (
        select(table.c.person_id, other.c.name, table.c.department, table.c.title)
        .join_from(table, other, other.c.id == table.c.organization_id)
        .where(
            table.c.person_id.in_(customers),
            or_(table.c.ended_on.is_(None), table.c.ended_on >= ctx.today),
            *visible(ctx, Employment.info, table, verb="export"),
            *visible(ctx, Customer.info, other),
        )
        .order_by(table.c.primary.desc(), table.c.id)
    )
    lines: dict[str, list[CardProperty]] = {}
    for row in ctx.connection.execute(query):
        said = lines.setdefault(row.person_id, [])
        said.append(CardProperty.of_parts("ORG", rules.org_parts(row.name, row.department or "")))
        if row.title:
            said.append(CardProperty.of("TITLE", row.title))
    return lines


# afterwards -----------------------------------------------------------------------------------------------------------


@on(EmploymentEnded)
def note_who_left(ctx: Context, fact: EmploymentEnded) -> None:
    """Write into the person's history that they left; where one of the two is gone, there is nothing to write."""
    person = ctx.find(Customer, fact.person_id, trashed=None)
    organization = ctx.find(Customer, fact.organization_id, trashed=None)
    if person is None or organization is None:
        return
    ctx.add(
        Interaction(
            customer_id=person.id, channel="note", direction="internal", at=ctx.now,
            subject=ctx.text("{person} left {organization}", person=person.name, organization=organization.name),
            data={"employment": fact.employment_id, "ended_on": fact.ended_on.isoformat()},
        )
    )  # fmt: skip
