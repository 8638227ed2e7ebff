"""A plugin that takes its process with it is left out by the next start."""

from __future__ import annotations

import json
import os
import signal

import pytest

ENDINGS = {
    "exits": "import os\nos._exit(7)\n",
    "crashes": "import ctypes\nctypes.string_at(0)\n",
    "is killed": "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n",
}
# It waits for ever, but only where somebody asks it to.
HANGS = """
import os, threading
if "HANG" in os.environ:
    print("hanging", flush=True)
    threading.Event().wait()

from clientela_sdk import Plugin
plugin = Plugin(name="jhang", title="Hang", migrations=False)
"""


@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS)
def test_a_plugin_that_ends_its_process_is_quarantined_by_the_next_start(shop, ending: str) -> None:
    shop.broken("jkill", ending)
    shop.plugin("jgood")
    died = shop.process()
    died.communicate()

    assert died.returncode != 0
    fates = shop.fates()
    assert fates["jkill"].state == "quarantined"
    assert f"The process {died.pid} died while it imported jkill" in fates["jkill"].reason
    assert fates["jkill"].fix == "clientela plugin enable jkill"
    assert fates["jgood"].state == "active"


def test_it_stays_out_until_somebody_lets_it_in_again(shop) -> None:
    shop.broken("jkill", ENDINGS["exits"])
    shop.process().communicate()
    shop.plugin("jkill")

    assert shop.fate("jkill")[0] == "quarantined"
    assert shop.fate("jkill")[0] == "quarantined"
    shop.cli("plugin", "enable", "jkill")
    assert shop.fate("jkill")[0] == "active"


def test_a_neighbour_that_is_still_importing_is_no_crash(shop) -> None:
    """Several workers start at once; one that hangs is told from one that died by the lock it holds."""
    shop.broken("jhang", HANGS)
    hanging = shop.process(HANG="1")
    assert hanging.stdout is not None
    assert hanging.stdout.readline() == "hanging\n"

    assert shop.fate("jhang")[0] == "active"

    hanging.send_signal(signal.SIGKILL)
    hanging.communicate()
    state, reason = shop.fate("jhang")
    assert (state, f"process {hanging.pid}" in reason) == ("quarantined", True)


def test_several_workers_that_die_together_accuse_once(shop) -> None:
    shop.broken("jkill", ENDINGS["exits"])
    shop.plugin("jgood")
    workers = [shop.process() for _ in range(3)]
    for one in workers:
        one.communicate()
    again = [shop.process() for _ in range(3)]
    told = [json.loads(one.communicate()[0]) for one in again]

    states = [{p["name"]: p["state"] for p in one["plugins"]} for one in told]
    assert states == [{"contacts": "disabled", "jgood": "active", "jkill": "quarantined"}] * 3
    assert not list((shop.folder / ".clientela").glob("importing-*"))


def test_a_good_start_leaves_no_mark(shop) -> None:
    shop.plugin("jgood")
    shop.fates()

    assert [one.name for one in (shop.folder / ".clientela").iterdir()] == ["boot.json"]


def test_an_empty_mark_accuses_nobody(shop) -> None:
    """A process that was killed between two imports."""
    shop.plugin("jgood")
    (shop.folder / ".clientela").mkdir()
    (shop.folder / f".clientela/importing-{os.getpid()}-x.json").write_text("")
    (shop.folder / ".clientela/importing-1-y.json").write_text("{not json")

    assert shop.fate("jgood")[0] == "active"
    assert not list((shop.folder / ".clientela").glob("importing-*"))
