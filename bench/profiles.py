"""Say where the time of a request goes: cProfile in process, through the dispatcher.

`python bench/profiles.py [--database sqlite|postgresql] [--items get,list] [--customers 20000] [--top 25]`
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import random
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench._counting import answer, call_of
from bench._items import ITEMS, Item

from bench import _data
from clientela.app import App
from clientela.rest.dispatch import Dispatcher


def main() -> None:
    """Profile each item."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--customers", type=int, default=20_000)
    parser.add_argument("--items", default=",".join(ITEMS))
    parser.add_argument("--top", type=int, default=25)
    parser.add_argument("--by", choices=["tottime", "cumtime"], default="tottime")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="clientela-bench-") as folder:
        store = _data.Store(given.database, Path(folder))
        try:
            filled = store.filled(given.customers)
            app = App(filled.url)
            for name in given.items.split(","):
                _profile(Dispatcher(app), filled, ITEMS[name], given)
            app.close()
        finally:
            store.close()


def _profile(
    dispatcher: Dispatcher, filled: _data.Filled, item: Item, given: argparse.Namespace
) -> None:
    rng = random.Random(1)
    calls = [call_of(piece, filled.token) for piece in item.pieces(filled, rng)]
    answer(dispatcher, item, calls[0])
    plain = time.process_time()
    for call in calls[1 : len(calls) // 2]:
        answer(dispatcher, item, call)
    plain = (time.process_time() - plain) * 1000 / (len(calls) // 2 - 1)
    profile = cProfile.Profile(time.process_time)  # a wall clock would count the others
    with profile:
        for call in calls[len(calls) // 2 :]:
            answer(dispatcher, item, call)
    print(f"\n{item.title}: {plain:.3f} CPU ms in process, without the profiler")
    pstats.Stats(profile).sort_stats(given.by).print_stats(given.top)


if __name__ == "__main__":
    main()
