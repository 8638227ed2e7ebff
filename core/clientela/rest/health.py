"""`/-/health`: a word for everybody, and for operators what became of each plugin."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from clientela.health import are_checks
from clientela.storage import migrations

if TYPE_CHECKING:
    from clientela.app import App
    from clientela.rest.dispatch import Dispatcher

UNAVAILABLE = 503
OPERATE = "core.system.operate"


def health_of(dispatcher: Dispatcher, authorization: str | None) -> tuple[dict[str, Any], int]:
    """Give the health of the app and its HTTP status, with as much as this caller may know."""
    app = dispatcher.app
    reason = app.unready()
    state = "down" if reason else "degraded" if _ails(app) else "ok"
    told: dict[str, Any] = {"status": state}
    if _may_operate(dispatcher, authorization):
        told |= {"reason": reason, **_details(app)}
    return told, UNAVAILABLE if reason else 200


def _ails(app: App) -> bool:
    return bool(app.report.ailing or app.notes or app.hooks.failures)


def _may_operate(dispatcher: Dispatcher, authorization: str | None) -> bool:
    """Say whether the caller is an operator; whoever is not hears the bare word, whatever they sent."""
    if authorization is None:
        return False
    try:
        return dispatcher.bearer(authorization).can(OPERATE)
    except Exception:  # noqa: BLE001 - a database that is away or not migrated knows nobody
        return False


def _details(app: App) -> dict[str, Any]:
    if app.guarding is not None:
        app.guarding.settle()
    told = app.report.as_dict()
    return {
        "boot": told,
        "schema": [asdict(one) for one in migrations.status(app)],
        "hooks": app.hooks.timings(),
        "failures": [asdict(one) for one in app.hooks.failures],
        "checks": [
            asdict(check)
            for _, answer in app.hooks.ask_sound("health_checks", are_checks, app=app)
            for check in answer
        ],
        "notes": list(app.notes),
    }
