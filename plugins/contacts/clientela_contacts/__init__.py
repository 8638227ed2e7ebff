"""Contacts: who works where, and groups of customers."""

from __future__ import annotations

from clientela_contacts import actions, demo, facts, hooks
from clientela_contacts.entities import Employment, Group, Membership
from clientela_sdk import Plugin

plugin = Plugin(
    name="contacts",
    title="Contacts",
    about="Who works where, and groups of customers.",
    entities=[Employment, Group, Membership],
    actions=[actions.end, actions.add_members, actions.remove_members],
    facts=[facts.EmploymentEnded, facts.MembersAdded, facts.MembersRemoved],
    subscriptions=[hooks.note_who_left],
    hooks=[hooks, demo],
    guards=["contacts.employment"],
)
