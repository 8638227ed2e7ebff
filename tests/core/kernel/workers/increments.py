"""Adds one to the note of a customer, so and so many times: `increments.py URL KEY TIMES`.

Says `ready` when all is imported, and begins when it is told to, so that several begin together.
"""

from __future__ import annotations

import sys

from clientela.access.principal import SYSTEM
from clientela.app import App
from clientela.context import Context
from clientela.customers.entities import Customer


def main(url: str, key: str, times: int) -> None:
    app = App(url, plugins=[])

    def add_one(ctx: Context) -> None:
        customer = ctx.get(Customer, key, lock=True)
        customer.note = str(int(customer.note or 0) + 1)

    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    for _ in range(times):
        app.perform(SYSTEM, add_one, face="worker")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
