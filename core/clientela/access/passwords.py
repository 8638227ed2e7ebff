"""Passwords: hashed with argon2id by a maintained library, never kept."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from clientela.i18n.texts import _

if TYPE_CHECKING:
    from pwdlib import PasswordHash

SHORTEST = 10
LONGEST = 200


@lru_cache(maxsize=1)
def _hasher() -> PasswordHash:
    from pwdlib import PasswordHash  # noqa: PLC0415 - needed only where somebody signs in

    return PasswordHash.recommended()


@lru_cache(maxsize=1)
def _nobody() -> str:
    return _hasher().hash("the password of nobody")


def hash_password(password: str) -> str:
    """Give the hash to keep; a password that is too short or too long is a `ValueError`."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise ValueError(
            _("A password has {shortest} to {most} characters.", shortest=SHORTEST, most=LONGEST)
        )
    return _hasher().hash(password)


def verify_password(password: str, hashed: str | None) -> bool:
    """Check a password; an unknown user costs the same time as a known one."""
    if hashed is None:
        _hasher().verify(password[:LONGEST], _nobody())
        return False
    return _hasher().verify(password[:LONGEST], hashed)
