"""What is done with employments and groups beyond the plain verbs."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from clientela_contacts.entities import Employment, Group, Membership
from clientela_contacts.facts import EmploymentEnded, MembersAdded, MembersRemoved
from clientela_contacts.rules import Job
from clientela_contacts.schemas import EndEmployment, Members
from clientela_sdk import Context, Customer, FieldProblem, Invalid, _, action, visible

MOST_PROBLEMS = 20


@action("contacts.employment.end", on=Employment, label="End employment")
def end(ctx: Context, employment: Employment, data: EndEmployment) -> Employment:
    """End an employment; the person's other employments stay as they are."""
    last_day = data.ended_on or ctx.today
    employment.end(last_day)
    ctx.tell(
        EmploymentEnded(
            employment_id=employment.public_id,
            person_id=Customer.info.public_id(employment.person_id),
            organization_id=Customer.info.public_id(employment.organization_id),
            ended_on=last_day,
        )
    )
    return employment


@action("contacts.group.add_members", on=Group, label="Add members")
def add_members(ctx: Context, group: Group, data: Members) -> Group:
    """Take customers into a group; those who belong to it already stay."""
    _require_customers(ctx, data.customers, trashed=False)
    members = {one.customer_id for one in _memberships(ctx, group, data.customers)}
    joining = [key for key in dict.fromkeys(data.customers) if key not in members]
    for key in joining:
        ctx.add(Membership(group_id=group.id, customer_id=key))
    if joining:
        ctx.tell(MembersAdded(group_id=group.public_id, customer_ids=_public(joining)))
    return group


@action("contacts.group.remove_members", on=Group, label="Remove members")
def remove_members(ctx: Context, group: Group, data: Members) -> Group:
    """Take customers out of a group; the customers themselves stay."""
    _require_customers(ctx, data.customers, trashed=None)
    leaving = _memberships(ctx, group, data.customers)
    for membership in leaving:
        ctx.delete(membership)
    if leaving:
        gone = _public([membership.customer_id for membership in leaving])
        ctx.tell(MembersRemoved(group_id=group.public_id, customer_ids=gone))
    return group


def employ(ctx: Context, person: Customer, job: Job) -> None:
    """Let a person have a job, unless that is known; its organization is found by its name, or created."""
    organization = _organization(ctx, job.organization)
    query = select(Employment).where(
        Employment.person_id == person.id,
        Employment.organization_id == organization.id,
        *visible(ctx, Employment.info, Employment.info.table),
    )
    there = list(ctx.session.execute(query.order_by(Employment.id)).scalars())
    for known in there:
        if known.title in (None, job.title or None) or not job.title:
            _complete(ctx, known, job)
            return
    _run(
        ctx, "contacts.employment.create", person_id=person.id, organization_id=organization.id,
        title=job.title or None, department=job.department or None,
    )  # fmt: skip


def _organization(ctx: Context, name: str) -> Customer:
    table = Customer.info.table
    query = select(Customer).where(
        Customer.kind == "organization", Customer.name == name, *visible(ctx, Customer.info, table)
    )
    found = ctx.session.execute(query.order_by(Customer.id).limit(1)).scalar_one_or_none()
    return found or _run(ctx, "core.customer.create", kind="organization", name=name)


def _complete(ctx: Context, employment: Employment, job: Job) -> None:
    said = {"title": job.title, "department": job.department}
    more = {name: text for name, text in said.items() if text and not employment.get(name)}
    if more:
        _run(ctx, "contacts.employment.update", employment.id, **more)


def _run(ctx: Context, name: str, record: str | None = None, /, **values: Any) -> Any:
    return ctx.run(ctx.app.registry.action(name), record, values)


def _require_customers(ctx: Context, keys: list[str], *, trashed: bool | None) -> None:
    """Refuse customers who are not there or may not be seen, each by its place in the list."""
    table = Customer.info.table
    query = select(table.c.id).where(
        table.c.id.in_(keys), *visible(ctx, Customer.info, table, trashed=trashed)
    )
    known = set(ctx.connection.execute(query).scalars())
    problems = [
        FieldProblem(
            f"/customers/{place}",
            "no-such-record",
            _("There is no customer {id}.", id=Customer.info.public_id(key)),
        )
        for place, key in enumerate(keys)
        if key not in known
    ]
    if problems:
        sentence = _(
            "{n} of these {all} customers are not there; nothing was changed.",
            n=len(problems),
            all=len(keys),
        )
        raise Invalid(sentence, problems[:MOST_PROBLEMS])


def _memberships(ctx: Context, group: Group, keys: list[str]) -> list[Membership]:
    query = select(Membership).where(
        Membership.group_id == group.id, Membership.customer_id.in_(keys)
    )
    return list(ctx.session.execute(query).scalars())


def _public(keys: list[str]) -> tuple[str, ...]:
    return tuple(Customer.info.public_id(key) for key in keys)
