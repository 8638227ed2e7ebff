"""The conformance kit: what a plugin owes its neighbours, as rules that can be run.

At the command line it is `clientela plugin check NAME --level gold`; in the tests of a plugin

    test_it_conforms = conformance_tests("visits", level="gold")

makes one test of each rule.
"""

from clientela_sdk.testing.conformance import composed, declared, faces, keeping, stored
from clientela_sdk.testing.conformance.kit import (
    LEVELS,
    Outcome,
    Rule,
    check,
    chosen,
    conformance_tests,
    holds,
    rules,
)

# Each of these modules registers its rules.
ROOMS = (declared, stored, faces, composed, keeping)

__all__ = ["LEVELS", "Outcome", "Rule", "check", "chosen", "conformance_tests", "holds", "rules"]
