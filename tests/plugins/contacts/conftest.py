"""The cast: Anna, who works, and Roof & Sons, where she does."""

from __future__ import annotations

import pytest

from clientela_contacts.api import Employment
from clientela_sdk import Customer
from clientela_sdk.testing.factory import Make, Recipes


@pytest.fixture
def recipes(recipes: Recipes) -> Recipes:
    return recipes | {
        Employment: {
            "person_id": lambda make: make(Customer, name="Anna"),
            "organization_id": lambda make: make(Customer, kind="organization", name="Roof & Sons"),
        }
    }


@pytest.fixture
def anna(make: Make) -> Customer:
    return make(Customer, name="Anna")


@pytest.fixture
def roof(make: Make) -> Customer:
    return make(Customer, kind="organization", name="Roof & Sons")
