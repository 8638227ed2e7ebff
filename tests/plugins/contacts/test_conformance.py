"""Contacts owes its neighbours what the kit asks of everybody."""

from __future__ import annotations

from clientela_sdk.testing.conformance import conformance_tests

test_contacts_conforms = conformance_tests("contacts", level="gold")
