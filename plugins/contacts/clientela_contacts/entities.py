"""Who works where, and groups of customers."""

from __future__ import annotations

from datetime import date

from clientela_contacts import rules
from clientela_sdk import (
    Conflict,
    Customer,
    CustomerId,
    Entity,
    FieldProblem,
    Invalid,
    Mapped,
    UserId,
    _,
    boolean,
    choice,
    day,
    owner,
    ref,
    text,
)

ROLES = {
    "decision_maker": "Decision maker",
    "influencer": "Influencer",
    "user": "User of what we sell",
    "accounting": "Accounting",
    "first_contact": "First contact",
    "other": "Other",
}


class Employment(Entity, plugin="contacts", label="Employment", prefix="emp"):
    """The time a person works for an organization; whoever may see both of them sees it."""

    person_id: Mapped[CustomerId] = ref(
        Customer, on_delete="cascade", parent=True, immutable=True, priority=1
    )
    organization_id: Mapped[CustomerId] = ref(
        Customer, on_delete="cascade", parent=True, immutable=True, priority=2
    )
    title: Mapped[str | None] = text(
        max_length=200, search=True, priority=3, label="Job title",
        help="As it stands on the business card.",
    )  # fmt: skip
    department: Mapped[str | None] = text(max_length=200, search=True, priority=4)
    role: Mapped[str | None] = choice(ROLES, help="What this person means for our business there.")
    started_on: Mapped[date | None] = day(sort=True)
    ended_on: Mapped[date | None] = day(
        immutable=True, priority=5, help="The last day; set later by ending the employment."
    )
    primary: Mapped[bool] = boolean(
        default=False, priority=6, help="The employment to write to; a person has one at a time."
    )

    def check(self) -> None:
        """Keep the days in order."""
        if not rules.is_in_order(self.started_on, self.ended_on):
            sentence = _("An employment cannot end before it began.")
            raise Invalid(sentence, [FieldProblem("/ended_on", "invalid", sentence)])

    def is_current(self, today: date) -> bool:
        """Say whether the person still works there."""
        return rules.is_current(self.ended_on, today)

    def end(self, on: date) -> None:
        """End the employment on its last day."""
        if self.ended_on is not None:
            raise EmploymentEndedBefore(self)
        self.ended_on = on


class EmploymentEndedBefore(Conflict):
    """An employment that has ended was asked to end."""

    def __init__(self, employment: Employment) -> None:
        super().__init__(
            _(
                "This employment has ended on {day} already; to correct the day, undo that and end it again.",
                day=employment.ended_on,
            )
        )


class PrimaryEmploymentExists(Conflict):
    """A person was given a second primary employment; `organization` is where the first one is, if it may be known."""

    def __init__(self, organization: str | None) -> None:
        super().__init__(
            _(
                "This person has a primary employment at {organization}; end it or make it secondary first.",
                organization=organization or _("another organization"),
            )
        )


class WrongSide(Invalid):
    """A side of an employment is the wrong kind of customer."""

    def __init__(self, field: str) -> None:
        sentence = (
            _("Only a person can work for somebody; choose a person.")
            if field == "person_id"
            else _("A person works for an organization; choose an organization.")
        )
        super().__init__(sentence, [FieldProblem(f"/{field}", "wrong-kind", sentence)])


class Group(Entity, plugin="contacts", label="Group", prefix="grp"):
    """Customers who are kept together for a purpose."""

    name: Mapped[str] = text(max_length=120, unique=True, search=True, sort=True, priority=1)
    about: Mapped[str | None] = text(
        max_length=1_000, lines=True, priority=2, help="What the group is for."
    )
    owner_id: Mapped[UserId | None] = owner(priority=3)


class Membership(
    Entity,
    plugin="contacts",
    label="Membership",
    prefix="mbr",
    unique_together=[("group_id", "customer_id")],
    # Nothing in it changes, and it has no trash: a trashed one would stand in the way of its successor.
    verbs={"read", "export", "create", "import", "purge"},
):
    """That a customer belongs to a group."""

    group_id: Mapped[str] = ref(Group, on_delete="cascade", parent=True, immutable=True, priority=1)
    customer_id: Mapped[CustomerId] = ref(
        Customer, on_delete="cascade", parent=True, immutable=True, priority=2
    )
