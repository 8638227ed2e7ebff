"""The core introduces itself the way every plugin does."""

from __future__ import annotations

from clientela import changes, facts
from clientela.access import guards
from clientela.access.actions import issue, set_password
from clientela.access.entities import Role, Token, User
from clientela.archive import total
from clientela.custom import guards as custom_guards
from clientela.custom import references
from clientela.custom.actions import index, move, remove, rename, unindex
from clientela.custom.entities import CustomField
from clientela.custom.kinds import OFFERS
from clientela.customers import card
from clientela.customers.entities import (
    Address,
    CardDetail,
    Consent,
    Customer,
    Decision,
    Identifier,
    Interaction,
)
from clientela.customizing.actions import export_custom, import_custom
from clientela.customizing.core import PARTS
from clientela.exchange import jobs, runs
from clientela.exchange.entities import Import, ImportTemplate
from clientela.exchange.facts import RecordsImported
from clientela.files import guards as file_guards
from clientela.files import uploads
from clientela.files.entities import Attachment
from clientela.plugins.card import Plugin
from clientela.views import guards as view_guards
from clientela.views import looks
from clientela.views import references as view_references
from clientela.views.actions import share
from clientela.views.entities import SavedView

CORE = Plugin(
    name="core",
    title="Core",
    about="Customers, who may do what, and the history of it all.",
    package="clientela",
    entities=[
        User, Role, Token, Customer, Identifier, Address, CardDetail, Consent, Interaction, Decision, Attachment,
        CustomField, Import, ImportTemplate, SavedView,
    ],
    tables=[runs.RUN, runs.FAILED],
    actions=[
        set_password, issue, rename, move, index, unindex, remove, jobs.check, jobs.start, jobs.stop, jobs.undo,
        share, export_custom, import_custom,
    ],
    parts=PARTS,
    facts=[
        facts.RecordCreated, facts.RecordChanged, facts.RecordTrashed, facts.RecordRestored, facts.RecordPurged,
        facts.RecordsChanged, facts.ChangesUndone, RecordsImported,
    ],
    hooks=[card, guards, file_guards, custom_guards, references, view_guards, view_references],
    views={
        "core.customer": {"card": card.customer_card},
        "core.saved_view": {"run": looks.run, "copy": looks.copy, "problems": looks.problems},
        "core.custom_field": {"references": references.references_of},
        "core.import": {"report": jobs.report_view, "failures": jobs.failures_view},
    },
    custom_kinds=list(OFFERS.values()),
    permissions={"core.system.operate": "See health, plugins and jobs"} | changes.PERMISSIONS | total.PERMISSIONS
    | uploads.PERMISSIONS,
)  # fmt: skip
