"""Types for the input of an action, read the way the fields of a record are read.

`Input` is strict: it guesses no type, so plain `date` would refuse the text that JSON has for a day. `Day` takes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema

from clientela.access.entities import Role, Token, User
from clientela.customers.entities import (
    Address,
    Consent,
    Customer,
    Decision,
    Identifier,
    Interaction,
)
from clientela.entity import Entity
from clientela.files.entities import Attachment
from clientela.kinds.base import Kind
from clientela.kinds.links import RefKind
from clientela.kinds.numbers import MoneyKind
from clientela.kinds.times import DayKind, InstantKind
from clientela.values import Money


@dataclass(frozen=True)
class ReadAs:
    """Says which kind reads a value: `Annotated[str, ReadAs(PhoneKind(region="RU"))]`."""

    kind: Kind

    def __get_pydantic_core_schema__(
        self, _source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Read as a field of that kind does."""
        return handler.generate_schema(self.kind.annotation())


@dataclass(frozen=True)
class IdOf:
    """Says whose id a text is: `VisitId = Annotated[str, IdOf(Visit)]`.

    A model takes `vis_01J…`, the bare letters or a UUID, and gives the bare letters, which are what queries compare.
    """

    entity: type[Entity]

    def __get_pydantic_core_schema__(
        self, _source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Read as a reference field does."""
        return handler.generate_schema(RefKind(self.entity.info.prefix).annotation())


Amount = Annotated[Money, ReadAs(MoneyKind())]
Day = Annotated[date, ReadAs(DayKind())]
Instant = Annotated[datetime, ReadAs(InstantKind())]

AddressId = Annotated[str, IdOf(Address)]
AttachmentId = Annotated[str, IdOf(Attachment)]
ConsentId = Annotated[str, IdOf(Consent)]
CustomerId = Annotated[str, IdOf(Customer)]
DecisionId = Annotated[str, IdOf(Decision)]
IdentifierId = Annotated[str, IdOf(Identifier)]
InteractionId = Annotated[str, IdOf(Interaction)]
RoleId = Annotated[str, IdOf(Role)]
TokenId = Annotated[str, IdOf(Token)]
UserId = Annotated[str, IdOf(User)]
