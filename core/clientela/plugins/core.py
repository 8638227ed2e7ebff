"""The core introduces itself the way every plugin does."""

from __future__ import annotations

from clientela import changes, facts
from clientela.access import guards
from clientela.access.actions import issue, set_password
from clientela.access.entities import Role, Token, User
from clientela.custom import guards as custom_guards
from clientela.custom import references
from clientela.custom.actions import index, move, remove, rename, unindex
from clientela.custom.entities import CustomField
from clientela.custom.kinds import OFFERS
from clientela.customers import card
from clientela.customers.entities import (
    Address,
    Consent,
    Customer,
    Decision,
    Identifier,
    Interaction,
)
from clientela.exchange.facts import RecordsImported
from clientela.plugins.card import Plugin

CORE = Plugin(
    name="core",
    title="Core",
    about="Customers, who may do what, and the history of it all.",
    package="clientela",
    entities=[User, Role, Token, Customer, Identifier, Address, Consent, Interaction, Decision, CustomField],
    actions=[set_password, issue, rename, move, index, unindex, remove],
    facts=[
        facts.RecordCreated, facts.RecordChanged, facts.RecordTrashed, facts.RecordRestored, facts.RecordPurged,
        RecordsImported,
    ],
    hooks=[card, guards, custom_guards, references],
    views={
        "core.customer": {"card": card.customer_card},
        "core.custom_field": {"references": references.references_of},
    },
    custom_kinds=list(OFFERS.values()),
    permissions={"core.system.operate": "See health, plugins and jobs"} | changes.PERMISSIONS,
)  # fmt: skip
