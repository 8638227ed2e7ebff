"""The start of a deployment: who is found, who can come up, and why the others cannot.

A plugin that cannot come up is left out with those that need it, and the rest starts. Only one that the deployment
calls required stops the start, and then all that is wrong is told at once.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from graphlib import TopologicalSorter
from importlib import import_module
from pathlib import Path

from pydantic import BaseModel

from clientela.errors import FieldProblem, Misconfigured, Refusal, did_you_mean
from clientela.i18n.texts import _
from clientela.plugins.card import Plugin
from clientela.plugins.compose import (
    Composition,
    compose,
    describe,
    wanted_partners,
    with_partner,
    with_partners,
)
from clientela.plugins.discovery import Found, found
from clientela.plugins.fates import BootReport, Fate, State
from clientela.plugins.journal import REPORT, Journal, Mark, why_barred
from clientela.plugins.loading import load, why_not
from clientela.plugins.policies import FILE, Policy
from clientela.plugins.resolving import leave_out_circles, leave_out_dependents, unmet
from clientela.plugins.settings import settings_of
from clientela.settings import Settings

STATM = Path("/proc/self/statm")
PAGE = 4096


class Boot:
    """One start of the plugins of a deployment; `composition`, `settings` and `report` are what came of it."""

    def __init__(self, settings: Settings, journal: Journal | None) -> None:
        self._wanted = settings
        self._journal = journal
        self._found: dict[str, Found] = {}
        self._cards: dict[str, Plugin] = {}
        self._fates: dict[str, Fate] = {}
        self.settings: dict[type[BaseModel], BaseModel] = {}
        started = time.perf_counter()
        self.report = BootReport(
            self._fates, settings.safe, at=datetime.now(UTC).isoformat(timespec="seconds")
        )
        self._find()
        if not settings.safe:
            self._check_packages()
            self._import_all()
        self.composition = self._compose()
        self._describe()
        self.report.seconds = time.perf_counter() - started
        self._keep_report()
        self._refuse_without_required()

    @property
    def _well(self) -> dict[str, Fate]:
        return {name: fate for name, fate in self._fates.items() if fate.is_well}

    # who is there -----------------------------------------------------------------------------------------------

    def _find(self) -> None:
        for one in found(self._wanted.folder):
            if one.name in self._fates:
                self._fates[one.name].fall(
                    "incompatible",
                    _(
                        "It is there twice: {first} and {second}; take one of them away.",
                        first=self._found[one.name].place,
                        second=one.place,
                    ),
                )
                continue
            self._found[one.name] = one
            self._fates[one.name] = Fate(one.name, version=one.version, source=one.place)
        for name, policy in self._wanted.plugins.items():
            fate = self._fates.setdefault(name, Fate(name))
            fate.required = policy.required
            if name not in self._found:
                fate.fall("orphaned", *_not_installed(name, self._found))
        for name in self._fates if self._wanted.safe else self._wanted.disabled:
            if name in self._fates:
                self._fates[name].fall("disabled", *_left_out(name, safe=self._wanted.safe))

    # what their packages say ------------------------------------------------------------------------------------

    def _check_packages(self) -> None:
        for name, fate in self._well.items():
            policy = self._policy(name)
            if not policy.takes(fate.version or "0"):
                fate.fall(
                    "incompatible",
                    _(
                        "{file} wants {plugin} {wanted}, and {version} is installed.",
                        file=FILE,
                        plugin=name,
                        wanted=policy.version,
                        version=fate.version or _("no version"),
                    ),
                    f'pip install "{self._found[name].distribution}{policy.version}"',
                )
            elif (problem := unmet(self._found[name])) is not None:
                fate.fall("incompatible", problem)
        self._bar()
        needs = {name: self._found[name].needs for name in self._well}
        leave_out_circles(self._fates, needs)
        leave_out_dependents(self._fates, needs)
        for fate in self._well.values():
            fate.state = "resolved"

    def _policy(self, name: str) -> Policy:
        return self._wanted.plugins.get(name, Policy())

    def _bar(self) -> None:
        if self._journal is None:
            return
        self._journal.judge()
        for name, mark in self._journal.barred().items():
            if name in self._well:
                fix = f"clientela plugin enable {name}"
                self._fates[name].fall("quarantined", why_barred(name, mark), fix)

    # their code -------------------------------------------------------------------------------------------------

    def _import_all(self) -> None:
        mark = self._journal.mark() if self._journal else Mark(None)
        try:
            self._import(mark)
            self._read_settings()
            self._import_partners(mark)
        finally:
            mark.close()

    def _import(self, mark: Mark) -> None:
        graph = {name: self._found[name].needs for name in sorted(self._well)}
        order = [name for name in TopologicalSorter(graph).static_order() if name in graph]
        for name in order:
            leave_out_dependents(self._fates, graph)
            if name in self._well:
                with _measured(self._fates[name]), mark.around(name):
                    self._load(name)
        leave_out_circles(self._fates, self._needs)
        leave_out_dependents(self._fates, self._needs)

    @property
    def _needs(self) -> dict[str, tuple[str, ...]]:
        return {name: tuple(card.needs) for name, card in self._cards.items()}

    def _load(self, name: str) -> None:
        try:
            self._cards[name] = load(self._found[name])
        except KeyboardInterrupt:
            raise
        except BaseException as broken:  # noqa: BLE001 - an import may raise anything, SystemExit included
            state: State = "incompatible" if isinstance(broken, Refusal) else "quarantined"
            self._fates[name].fall(state, why_not(name, broken), f"clientela plugin disable {name}")

    def _read_settings(self) -> None:
        for name in self._well:
            try:
                read = settings_of(self._cards[name], self._policy(name))
            except Misconfigured as lacking:
                fix = str(lacking.extra.get("fix", ""))
                self._fates[name].fall("needs-settings", lacking.detail, fix)
            except Exception as broken:  # noqa: BLE001 - a validator of the plugin's own
                self._fates[name].fall("needs-settings", why_not(name, broken))
            else:
                if read is not None:
                    self.settings[type(read)] = read
        leave_out_dependents(self._fates, self._needs)

    def _import_partners(self, mark: Mark) -> None:
        """Import what plugins bring for each other; what cannot be imported is left out, and its plugin stays."""
        for name in self._well:
            for partner in wanted_partners(self._cards[name], set(self._well)):
                try:
                    with mark.around(name):
                        import_module(self._cards[name].partners[partner])
                except KeyboardInterrupt:
                    raise
                except BaseException as broken:  # noqa: BLE001 - as in `_load`
                    self._leave_out_part(name, partner, broken)
                    kept = {k: v for k, v in self._cards[name].partners.items() if k != partner}
                    self._cards[name] = replace(self._cards[name], partners=kept)

    def _leave_out_part(self, name: str, partner: str, broken: BaseException) -> None:
        self._fates[name].add(
            _(
                "What it brings for {partner} is left out: {reason}",
                partner=partner,
                reason=why_not(name, broken),
            )
        )

    # together ---------------------------------------------------------------------------------------------------

    def _compose(self) -> Composition:
        cards = [self._cards[name] for name in self._well]
        try:
            return compose(with_partners(cards))
        except Exception:  # noqa: BLE001 - whoever it was is looked for one by one
            return compose(self._with_fitting_partners(self._fitting(cards)))

    def _fitting(self, cards: list[Plugin]) -> list[Plugin]:
        """Add the cards one by one, and leave out those that do not fit to the others."""
        good: list[Plugin] = []
        left = cards
        while left:
            refused: dict[str, str] = {}
            for card in left:
                problem = _problem([*good, card])
                if problem is None:
                    good.append(card)
                else:
                    refused[card.name] = problem
            if len(refused) == len(left):
                for name, problem in refused.items():
                    self._fates[name].fall(
                        "incompatible", problem, f"clientela plugin disable {name}"
                    )
                break
            left = [card for card in left if card.name in refused]
        return good

    def _with_fitting_partners(self, cards: list[Plugin]) -> list[Plugin]:
        """Add what cards bring for each other; a part that does not work is left out, and its plugin stays."""
        made = {card.name: card for card in cards}
        for card in cards:
            for partner in wanted_partners(card, set(made)):
                try:
                    fuller = with_partner(made[card.name], partner)
                    compose(list((made | {card.name: fuller}).values()))
                except Exception as broken:  # noqa: BLE001 - whatever a plugin's objects do when they are looked at
                    self._leave_out_part(card.name, partner, broken)
                else:
                    made[card.name] = fuller
        return list(made.values())

    # telling ----------------------------------------------------------------------------------------------------

    def _describe(self) -> None:
        describe(self.composition, self._fates)
        for name, one in self._found.items():
            needs = self._cards[name].needs if name in self._cards else ()
            self._fates[name].needs = sorted({*one.needs, *needs})

    def _keep_report(self) -> None:
        if self._journal is None or self._wanted.safe:
            return
        told = self.report.as_dict()
        if _essence(told) != _essence(self._journal.read(REPORT)):
            self._journal.write(REPORT, told)

    def _refuse_without_required(self) -> None:
        missing = [fate for fate in self.report.ailing if fate.required]
        if missing and not self._wanted.safe:
            raise Misconfigured(
                _(
                    "Required plugins cannot come up: {reasons}",
                    reasons=" ".join(fate.reason for fate in missing),
                ),
                [FieldProblem(f"/plugins/{f.name}", f.state, f.reason, f.fix) for f in missing],
                extra={"fix": f"clientela plugin doctor    # or {missing[0].fix}"},
            )


def _problem(cards: list[Plugin]) -> str | None:
    try:
        compose(cards)
    except Refusal as refusal:
        return refusal.detail
    except Exception as broken:  # noqa: BLE001 - whatever a plugin's objects do when they are looked at
        return why_not(cards[-1].name, broken)
    return None


def _not_installed(name: str, known: Mapping[str, Found]) -> tuple[str, str]:
    sentence = _("{plugin} stands in {file} and is not installed.", plugin=name, file=FILE)
    return sentence + did_you_mean(name, known), f"pip install clientela-{name}"


def _left_out(name: str, *, safe: bool) -> tuple[str, str]:
    if safe:
        return _("The core was started alone."), _("start again without --safe")
    return _("It is disabled in {file}.", file=FILE), f"clientela plugin enable {name}"


@contextmanager
def _measured(fate: Fate) -> Iterator[None]:
    """Write down what an import cost."""
    memory, started = _memory(), time.perf_counter()
    try:
        yield
    finally:
        fate.seconds = round(time.perf_counter() - started, 4)
        after = _memory()
        fate.memory = None if memory is None or after is None else after - memory


def _memory() -> int | None:
    """Give the bytes this process holds, where the system says so for nothing."""
    try:
        return int(STATM.read_text(encoding="ascii").split()[1]) * PAGE
    except OSError:
        return None


def _essence(told: dict[str, object]) -> list[object]:
    """Give what differs between two starts, apart from how long they took."""
    plugins = told.get("plugins")
    return [
        {k: v for k, v in one.items() if k not in {"seconds", "memory"}}
        for one in (plugins if isinstance(plugins, list) else [])
    ] + [told.get("safe")]
