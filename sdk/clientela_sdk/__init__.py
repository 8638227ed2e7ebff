"""The one door for plugin authors: every name a plugin needs, and none that may change without notice.

    from clientela_sdk import Customer, CustomerId, Entity, Mapped, Plugin, day, ref

The test kit stands in `clientela_sdk.testing`, so that a deployment needs no pytest.
"""

from sqlalchemy.orm import Mapped

from clientela.access.entities import Role, Token, User
from clientela.access.principal import Principal
from clientela.access.scopes import visible
from clientela.actions import Action, action
from clientela.app import App
from clientela.context import Context
from clientela.custom.kinds import Offer
from clientela.custom.references import Reference
from clientela.customers.entities import (
    Address,
    Consent,
    Customer,
    Decision,
    Identifier,
    Interaction,
)
from clientela.customizing.parts import ConfigPart, part_of
from clientela.entity import VERBS, Entity, EntityInfo
from clientela.errors import (
    Conflict,
    FieldProblem,
    Forbidden,
    Invalid,
    Misconfigured,
    NotFound,
    Refusal,
    Unavailable,
)
from clientela.exchange.facts import RecordsImported
from clientela.exchange.vcards import CardProperty
from clientela.facts import (
    ChangesUndone,
    Fact,
    RecordChanged,
    RecordCreated,
    RecordPurged,
    RecordRestored,
    RecordsChanged,
    RecordTrashed,
    Subscription,
    on,
)
from clientela.fields import (
    Field,
    address,
    boolean,
    choice,
    choices,
    country,
    currency,
    day,
    decimal,
    duration,
    email,
    field,
    file,
    instant,
    integer,
    json,
    language,
    money,
    owner,
    percent,
    person_name,
    phone,
    ref,
    rich_text,
    subject,
    tags,
    text,
    url,
)
from clientela.files.entities import Attachment
from clientela.health import Check
from clientela.hookspecs import hookimpl, hookspec
from clientela.i18n import _
from clientela.kinds.base import Kind
from clientela.plugins.card import Part, Plugin
from clientela.query import readable_names, related
from clientela.schemas import Input
from clientela.values import Money, PersonName, PostalAddress
from clientela_sdk.inputs import (
    AddressId,
    Amount,
    AttachmentId,
    ConsentId,
    CustomerId,
    Day,
    DecisionId,
    IdentifierId,
    IdOf,
    Instant,
    InteractionId,
    ReadAs,
    RoleId,
    TokenId,
    UserId,
)

__all__ = [
    "VERBS",
    "Action",
    "Address",
    "AddressId",
    "Amount",
    "App",
    "Attachment",
    "AttachmentId",
    "CardProperty",
    "ChangesUndone",
    "Check",
    "ConfigPart",
    "Conflict",
    "Consent",
    "ConsentId",
    "Context",
    "Customer",
    "CustomerId",
    "Day",
    "Decision",
    "DecisionId",
    "Entity",
    "EntityInfo",
    "Fact",
    "Field",
    "FieldProblem",
    "Forbidden",
    "IdOf",
    "Identifier",
    "IdentifierId",
    "Input",
    "Instant",
    "Interaction",
    "InteractionId",
    "Invalid",
    "Kind",
    "Mapped",
    "Misconfigured",
    "Money",
    "NotFound",
    "Offer",
    "Part",
    "PersonName",
    "Plugin",
    "PostalAddress",
    "Principal",
    "ReadAs",
    "RecordChanged",
    "RecordCreated",
    "RecordPurged",
    "RecordRestored",
    "RecordTrashed",
    "RecordsChanged",
    "RecordsImported",
    "Reference",
    "Refusal",
    "Role",
    "RoleId",
    "Subscription",
    "Token",
    "TokenId",
    "Unavailable",
    "User",
    "UserId",
    "_",
    "action",
    "address",
    "boolean",
    "choice",
    "choices",
    "country",
    "currency",
    "day",
    "decimal",
    "duration",
    "email",
    "field",
    "file",
    "hookimpl",
    "hookspec",
    "instant",
    "integer",
    "json",
    "language",
    "money",
    "on",
    "owner",
    "part_of",
    "percent",
    "person_name",
    "phone",
    "readable_names",
    "ref",
    "related",
    "rich_text",
    "subject",
    "tags",
    "text",
    "url",
    "visible",
]
