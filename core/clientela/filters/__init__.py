"""One filter grammar for every face: lists, exports, rules, automation, row scopes.

Text or JSON becomes a tree, the tree is bound to an entity, and from the bound tree come SQL and a Python function that
mean the same.
"""

from clientela.filters.bind import OperandKind, bind
from clientela.filters.jsonform import from_json, to_json
from clientela.filters.matching import matcher
from clientela.filters.nodes import (
    And,
    Bound,
    BoundAnd,
    BoundCompare,
    BoundNot,
    BoundOr,
    Compare,
    FilterField,
    FilterKind,
    FilterTarget,
    Me,
    Node,
    Not,
    Null,
    Or,
    Raw,
    Relative,
    Scalar,
    Word,
    comparisons,
    depth,
)
from clientela.filters.text import parse, unparse

__all__ = [
    "And",
    "Bound",
    "BoundAnd",
    "BoundCompare",
    "BoundNot",
    "BoundOr",
    "Compare",
    "FilterField",
    "FilterKind",
    "FilterTarget",
    "Me",
    "Node",
    "Not",
    "Null",
    "OperandKind",
    "Or",
    "Raw",
    "Relative",
    "Scalar",
    "Word",
    "bind",
    "comparisons",
    "depth",
    "from_json",
    "matcher",
    "parse",
    "to_json",
    "unparse",
]
