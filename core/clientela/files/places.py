"""The place of a deployment's files, as its settings say."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from pathlib import Path
from typing import TYPE_CHECKING

from clientela.errors import Misconfigured
from clientela.files.local import LocalStore
from clientela.i18n.texts import _

if TYPE_CHECKING:
    from clientela.files.store import Store
    from clientela.settings import Settings


def open_store(settings: Settings, *, lasting: bool) -> Store:
    """Give the store: a bucket, a folder, or a folder that goes with the store where nothing else lasts either."""
    if settings.file_bucket:
        return _bucket(settings)
    if settings.file_folder is not None or lasting:
        return LocalStore(settings.file_folder or settings.folder / "files")
    folder = tempfile.mkdtemp(prefix="clientela-files-")
    store = LocalStore(Path(folder))
    weakref.finalize(store, shutil.rmtree, folder, ignore_errors=True)
    return store


def _bucket(settings: Settings) -> Store:
    try:
        from clientela.files.s3 import S3Store  # noqa: PLC0415 - an extra, which few deployments need
    except ModuleNotFoundError as missing:
        raise Misconfigured(
            _("Files in a bucket need the package {name}.", name=missing.name),
            extra={"fix": "pip install 'clientela[s3]'"},
        ) from missing
    return S3Store(settings)
