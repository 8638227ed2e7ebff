"""Finding plugins: by the entry points of installed distributions, read without importing their code."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any

from clientela.errors import Misconfigured
from clientela.i18n.texts import _

if TYPE_CHECKING:
    from clientela.plugins.card import Plugin

GROUP = "clientela.plugins"


@dataclass(frozen=True)
class Found:
    """An installed plugin as its wheel describes it."""

    name: str
    distribution: str
    version: str
    summary: str
    target: str
    needs: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Give the JSON form."""
        return {
            "name": self.name, "distribution": self.distribution, "version": self.version,
            "summary": self.summary, "entry_point": self.target, "needs": list(self.needs),
        }  # fmt: skip


def found() -> list[Found]:
    """List the installed plugins, without importing one."""
    return sorted((_describe(point) for point in entry_points(group=GROUP)), key=lambda f: f.name)


def _describe(point: EntryPoint) -> Found:
    dist = point.dist
    requires = (dist.requires or []) if dist else []
    own = ("clientela-sdk", "clientela ", "clientela=")
    needs = [
        requirement.split("clientela-", 1)[1]
        .split(";")[0]
        .split(" ")[0]
        .split(">")[0]
        .split("=")[0]
        .split("[")[0]
        for requirement in requires
        if requirement.startswith("clientela-") and not requirement.startswith(own)
    ]
    return Found(
        name=point.name,
        distribution=dist.name if dist else "",
        version=dist.version if dist else "",
        summary=str(dist.metadata["Summary"] or "") if dist else "",
        target=point.value,
        needs=tuple(needs),
    )


def installed_cards(*, disabled: Iterable[str] = ()) -> list[Plugin]:
    """Import the cards of the installed plugins that are not disabled."""
    left_out = set(disabled)
    return [_card(point) for point in entry_points(group=GROUP) if point.name not in left_out]


def _card(point: EntryPoint) -> Plugin:
    from clientela.plugins.card import Plugin  # noqa: PLC0415 - `plugin list` must not import SQLAlchemy

    try:
        card = point.load()
    except Exception as broken:
        raise Misconfigured(
            _(
                "The plugin {point} cannot be imported: {type}: {reason}.",
                point=point.name,
                type=type(broken).__name__,
                reason=broken,
            ),
            extra={
                "fix": _(
                    'leave it out with disabled = ["{point}"] in clientela.toml', point=point.name
                )
            },
        ) from broken
    if not isinstance(card, Plugin):
        raise Misconfigured(
            _(
                "The entry point {point} = {target} does not lead to a Plugin(…).",
                point=point.name,
                target=point.value,
            )
        )
    if card.name != point.name:
        raise Misconfigured(
            _(
                "The plugin {plugin} is installed under the entry point {point}; they must be equal.",
                plugin=card.name,
                point=point.name,
            )
        )
    return card
