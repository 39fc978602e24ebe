"""`python -m tests.operations.load`: traffic from a host of its own; its log on standard output.

Standard input, one JSON object: `addresses`, `made`, `first`, `number`, `threads`, `per_second`,
and `leads`: make the leads first.
"""

import json
import sys
import time

from tests.operations.business import add_leads, events
from tests.operations.traffic import Made, Traffic


def main() -> None:
    given = json.load(sys.stdin)
    play = events(given["number"], given["first"])
    addresses = [(host, port) for host, port in given["addresses"]]
    made = Made(*given["made"])
    if given["leads"]:
        add_leads(*addresses[0], made)
    with Traffic(addresses, made, play, given["threads"], given["per_second"]) as traffic:
        while not traffic.is_done():
            time.sleep(0.05)
    json.dump(
        {"acked": traffic.acked, "answers": traffic.answers, "slowest": traffic.slowest},
        sys.stdout,
    )  # fmt: skip


if __name__ == "__main__":
    main()
