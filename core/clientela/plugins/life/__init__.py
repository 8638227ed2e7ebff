"""The life of a plugin in the database: planned first, then applied, a plugin a transaction.

`plan_add`, `plan_upgrade` and `plan_remove` write nothing; `apply` carries a plan out, after a snapshot and under a
journal by which the next start recognises what was broken off. Removing needs no code of the plugin but for an export.
"""

from clientela.plugins.life.applying import (
    Outcome,
    PlanOutdated,
    StillUnderWay,
    abandon,
    apply,
    go_back,
    interrupted,
    resume,
)
from clientela.plugins.life.planning import plan_add, plan_again, plan_remove, plan_upgrade
from clientela.plugins.life.plans import Plan, Revision, Step, read_plan
from clientela.plugins.life.residue import residue
from clientela.plugins.life.traces import Trace, register

__all__ = [
    "Outcome",
    "Plan",
    "PlanOutdated",
    "Revision",
    "Step",
    "StillUnderWay",
    "Trace",
    "abandon",
    "apply",
    "go_back",
    "interrupted",
    "plan_add",
    "plan_again",
    "plan_remove",
    "plan_upgrade",
    "read_plan",
    "register",
    "residue",
    "resume",
]
