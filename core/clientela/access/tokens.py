"""Tokens: 256 random bits, shown once, kept as a hash."""

from __future__ import annotations

import hashlib
import secrets

MARK = "clt_"
SHOWN = 10


def new_token() -> str:
    """Give a fresh token."""
    return MARK + secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """Give what is kept of a token; its 256 random bits need no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()
