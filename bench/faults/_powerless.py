"""A file system that forgets: what was not flushed before the cut is gone, names of files like their bytes.

It lives in memory. A file's bytes last once the file was flushed, its name once its folder was; at the cut either all
that was not flushed is dropped, or what a disk may have written of it by itself is drawn at random.
"""

from __future__ import annotations

import errno
import os
import random
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

try:
    from mfusepy import FUSE, FuseOSError, Operations
except (ImportError, OSError):
    try:
        from fuse import FUSE, FuseOSError, Operations  # type: ignore[no-redef]
    except (ImportError, OSError):
        FUSE, FuseOSError, Operations = None, OSError, object  # type: ignore[misc]

HOW = "powercut needs FUSE: apt install fuse3 libfuse2, and pip install mfusepy in this environment"


class Node:
    """A file or a folder: what is seen, what has lasted, and what happened since."""

    def __init__(self, *, folder: bool = False, data: bytes = b"") -> None:
        self.folder = folder
        self.live = bytearray(data)
        self.kept = bytes(data)
        self.since: list[tuple[int, bytes | None]] = []
        self.names: dict[str, Node] = {}
        self.kept_names: dict[str, Node] = {}
        self.at = time.time()

    def write(self, data: bytes, offset: int) -> None:
        """Write at a place; None in the list stands for a cut to a length."""
        apply(self.live, offset, data)
        self.since.append((offset, data))

    def truncate(self, length: int) -> None:
        """Cut to a length, or fill up with zeros."""
        apply(self.live, length, None)
        self.since.append((length, None))

    def flush(self) -> None:
        """Let what is seen last."""
        self.kept, self.since = bytes(self.live), []
        self.kept_names = dict(self.names)

    def left(self, rng: random.Random | None) -> bytes:
        """Give what the disk has after a cut."""
        data = bytearray(self.kept)
        for offset, piece in self.since:
            if rng is not None and rng.random() < 0.5:
                apply(data, offset, piece)
        return bytes(data)


def apply(data: bytearray, offset: int, piece: bytes | None) -> None:
    """Write a piece into bytes, or cut them."""
    length = offset if piece is None else offset + len(piece)
    if len(data) < length:
        data.extend(bytes(length - len(data)))
    if piece is None:
        del data[offset:]
    else:
        data[offset : offset + len(piece)] = piece


class Powerless(Operations):  # type: ignore[misc]
    """The file system: from the cut on, everything fails."""

    use_ns = False

    def __init__(self, source: Path, cut: int | None) -> None:
        self.root = _loaded(source)
        self.cut = cut
        self.count = 0
        self._turn = threading.Lock()
        for name in CALLS:
            setattr(self, name, self._guarded(name))

    def _guarded(self, name: str) -> Callable[..., Any]:
        """Count the calls that change something; from the cut on, none is answered."""
        work = getattr(type(self), name)

        def call(*args: Any) -> Any:
            with self._turn:
                self.count += name in CHANGING
                if self.cut is not None and self.count >= self.cut:
                    raise FuseOSError(errno.EIO)
                return work(self, *args)

        return call

    def _find(self, path: str) -> Node:
        node = self.root
        for part in path.strip("/").split("/"):
            if part:
                if part not in node.names:
                    raise FuseOSError(errno.ENOENT)
                node = node.names[part]
        return node

    def _parent(self, path: str) -> tuple[Node, str]:
        above, _slash, name = path.rpartition("/")
        return self._find(above), name

    def access(self, path: str, _amode: int) -> int:
        self._find(path)
        return 0

    def getattr(self, path: str, _fh: Any = None) -> dict[str, Any]:
        node = self._find(path)
        mode = stat.S_IFDIR | 0o755 if node.folder else stat.S_IFREG | 0o644
        return {
            "st_mode": mode, "st_nlink": 2 if node.folder else 1, "st_size": len(node.live), "st_mtime": node.at,
            "st_ctime": node.at, "st_atime": node.at, "st_uid": os.getuid(), "st_gid": os.getgid(),
        }  # fmt: skip

    def readdir(self, path: str, _fh: Any) -> list[str]:
        return [".", "..", *self._find(path).names]

    def statfs(self, _path: str) -> dict[str, int]:
        return {
            "f_bsize": 4096,
            "f_blocks": 1 << 20,
            "f_bavail": 1 << 19,
            "f_bfree": 1 << 19,
            "f_namemax": 255,
        }

    def open(self, path: str, _flags: int) -> int:
        self._find(path)
        return 0

    def create(self, path: str, _mode: int, _fi: Any = None) -> int:
        parent, name = self._parent(path)
        parent.names[name] = Node()
        return 0

    def mkdir(self, path: str, _mode: int) -> int:
        parent, name = self._parent(path)
        parent.names[name] = Node(folder=True)
        return 0

    def unlink(self, path: str) -> int:
        parent, name = self._parent(path)
        self._find(path)
        del parent.names[name]
        return 0

    rmdir = unlink

    def rename(self, old: str, new: str, *_flags: Any) -> int:
        parent, name = self._parent(old)
        node = self._find(old)
        target, called = self._parent(new)
        del parent.names[name]
        target.names[called] = node
        return 0

    def read(self, path: str, size: int, offset: int, _fh: Any) -> bytes:
        return bytes(self._find(path).live[offset : offset + size])

    def write(self, path: str, data: bytes, offset: int, _fh: Any) -> int:
        self._find(path).write(bytes(data), offset)
        return len(data)

    def truncate(self, path: str, length: int, _fh: Any = None) -> int:
        self._find(path).truncate(length)
        return 0

    def fsync(self, path: str, _datasync: int, _fh: Any) -> int:
        self._find(path).flush()
        return 0

    fsyncdir = fsync

    def flush(self, _path: str, _fh: Any) -> int:
        return 0

    def release(self, _path: str, _fh: Any) -> int:
        return 0

    def chmod(self, _path: str, _mode: int) -> int:
        return 0

    def chown(self, _path: str, _uid: int, _gid: int) -> int:
        return 0

    def utimens(self, _path: str, _times: Any = None) -> int:
        return 0


CHANGING = frozenset(
    ("create", "mkdir", "unlink", "rmdir", "rename", "write", "truncate", "fsync", "fsyncdir")
)


CALLS = CHANGING | {
    "access", "getattr", "readdir", "statfs", "open", "read", "flush", "release", "chmod", "chown", "utimens",
}  # fmt: skip


def _loaded(source: Path) -> Node:
    """Read a folder; all of it has lasted."""
    node = Node(folder=source.is_dir(), data=b"" if source.is_dir() else source.read_bytes())
    if node.folder:
        node.names = {one.name: _loaded(one) for one in source.iterdir()}
        node.kept_names = dict(node.names)
    return node


def left_on(disk: Node, target: Path, rng: random.Random | None) -> None:
    """Write down what the disk has after the cut."""
    target.mkdir(parents=True, exist_ok=True)
    for name, node in disk.kept_names.items():
        if node.folder:
            left_on(node, target / name, rng)
        else:
            (target / name).write_bytes(node.left(rng))


def serve(source: Path, place: Path, target: Path, cut: int | None, seed: int | None) -> int:
    """Serve a folder until it is unmounted, write down what is left, and give how many calls changed something."""
    system = Powerless(source, cut)
    FUSE(
        system, str(place), foreground=True, nothreads=True, raw_fi=False, default_permissions=False
    )
    left_on(system.root, target, None if seed is None else random.Random(seed))
    return system.count
