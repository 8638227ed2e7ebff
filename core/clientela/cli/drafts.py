"""Files that commands write: a name is taken only by a whole file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from clientela.cli.errors import Failed
from clientela.i18n.texts import _


@contextmanager
def drafted(out: Path) -> Iterator[BinaryIO]:
    """Open a file beside `out` that takes its place when the block ends well; what cannot be written is `Failed`."""
    draft = out.with_name(f".{out.name}.part")
    try:
        with draft.open("wb") as file:
            yield file
        draft.replace(out)
    except OSError as wrong:
        raise Failed(
            _("{file} cannot be written: {reason}.", file=out, reason=wrong.strerror or wrong)
        ) from wrong
    finally:
        draft.unlink(missing_ok=True)
