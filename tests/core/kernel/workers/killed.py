"""Writes until it is killed, again and again: `killed.py URL SEED KILLS`.

Each child writes customers with two identifiers each and acknowledges every one on its standard output after the
commit. Half of the children are killed before a certain statement or commit, the others by a signal at any moment; no
Python code can catch either.
"""

from __future__ import annotations

import os
import random
import signal
import sys
from typing import Any, NoReturn

from sqlalchemy import event

from clientela.access.principal import SYSTEM
from clientela.app import App
from clientela.context import Context
from clientela.customers.entities import Customer, Identifier


def write_until_killed(url: str, rng: random.Random) -> NoReturn:
    app = App(url, plugins=[])

    def write(ctx: Context) -> Customer:
        customer = ctx.add(Customer(name=f"Customer {rng.random()}"))
        ctx.flush()
        for number in range(2):
            ctx.add(Identifier(customer_id=customer.id, kind="other", value=str(number)))
        return customer

    app.perform(SYSTEM, write, face="warm", dry_run=True)
    if rng.random() < 0.5:
        die_at_statement(app, rng.randint(1, 30))
    else:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, rng.uniform(0.001, 0.12))
    while True:
        written = app.perform(SYSTEM, write, face="worker")
        os.write(1, f"{written.id}\n".encode())


def die_at_statement(app: App, at: int) -> None:
    count = 0

    def step(*_arguments: Any) -> None:
        nonlocal count
        count += 1
        if count == at:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(app.db.engine, "before_cursor_execute", step)
    event.listen(app.db.engine, "commit", step)


def main(url: str, seed: int, kills: int) -> None:
    for number in range(kills):
        child = os.fork()
        if child == 0:
            write_until_killed(url, random.Random(seed * 1000 + number))
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            sys.exit("A child ended without being killed.")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
