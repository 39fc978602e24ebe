"""The document of `make bench`, from what its parts found."""

from collections.abc import Mapping, Sequence
from typing import Any

from bench import report_load, report_work, targets
from bench.parts import PARTS

# Why an aim is missed, by its id: written by hand after a run, shown while it is missed.
REASONS: dict[str, str] = {
    "P2": (
        "by CPU the afternoon costs five times as much; its own rate moved between 230 and 431 a "
        "second from round to round, on two cores that the clients share"
    ),
    "P6": (
        "a payment takes 570 us of Python: a third reads three objects strictly and spells them "
        "for the mirror, the rest matches, records and posts them, and nothing stands out. "
        "It would need reading and mirror in compiled code"
    ),
    "P7": (
        "as P6; a second process helps by a third only, since batches of one stage share payers "
        "and invoices and come one after the other. It would need stages by payer"
    ),
    "T6": (
        "p50 is 3.3 ms. Web, PostgreSQL and the client keep both cores busy at half of the "
        "capacity already, and a burst waits for a core: 11.6 and 18.6 ms in two short runs of "
        "the same day. It would need a core for the client"
    ),
    "T7": (
        "a batch takes some 60 ms however small it is (73 statements), and an event waits for the "
        "half of one before its own. It would need fewer statements for a few events"
    ),
    "T12": (
        "12.1 s in an hour of the same day in which the machine was faster. Two thirds are "
        "`rewards run`: everything is compiled and imported for the first time, the schema made, "
        "and six processes started on two cores"
    ),
    "T11": (
        "100 rewards with their entries are 58 kB of JSON: 2,200 values, 700 of them ids. Of the "
        "CPU a sixth is PostgreSQL's, a third goes into four statements and 300 rows, a quarter "
        "into writing them, a quarter into what every request costs (key, session, headers, log). "
        "The aim leaves a fourth of all that: it would need PostgreSQL to write the JSON itself"
    ),
}

WRITERS = {
    "paired": report_load.paired_section, "latency": report_load.latency_section,
    "drain": report_work.drain_section, "batches": report_work.batches_section,
    "backlog": report_work.backlog_section, "finish": report_work.finish_section,
    "page": report_load.page_section, "fresh": report_work.fresh_section,
}  # fmt: skip

Kept = Mapping[str, Mapping[str, Any]]  # of each part: when, how busy, what it found


def document(kept: Kept) -> str:
    """Everything that was measured. A part that was not is left out; the first table shows it."""
    kept = {part: kept[part] for part in PARTS if part in kept}
    found = {part: one["found"] for part, one in kept.items()}
    sections = [
        _head(kept),
        _section("Aims", "| | what | aim | stretch | measured | |\n|---|---|---|---|---|---|",
                 targets.rows(found, REASONS)),
    ]  # fmt: skip
    sections += [write(found[part]) for part, write in WRITERS.items() if part in found]
    return "\n\n".join(sections) + "\n"


def _section(title: str, head: str, rows: Sequence[str]) -> str:
    return f"## {title}\n\n" + "\n".join([head, *rows])


def _head(kept: Kept) -> str:
    parts = "\n".join(
        f"| {part} | {PARTS[part].what} | {one['at']} | {one['took_s']} | {one['load'][0]} | "
        f"{one['load'][1]} |"
        for part, one in kept.items()
    )
    machine = kept.get("paired", {}).get("found", {}).get("machine")
    return f"""# Benchmarks

Written by `make bench`. {_machine(machine) if machine else ""}

Ratios within one run are what counts; requests per second move with the machine. The clients run
on the same cores. Rows are counted after every measurement of ours: events = distinct payments
sent = rewards, ledger and roll-up sum to the same, nothing is pending; every tenth request repeats
an earlier one on purpose.

| part | measures | when (UTC) | took s | load before | load after |
|---|---|---|---|---|---|
{parts}"""


def _machine(one: Mapping[str, Any]) -> str:
    packages = ", ".join(f"{name} {number}" for name, number in one["packages"].items())
    postgres = one["postgres"]
    return (
        f"{one['cores']} cores ({one['processor']}), {one['memory_gib']} GiB, {one['system']}; "
        f"Python {one['python']}, {packages}, {one['queue']}. PostgreSQL "
        f"{postgres['server_version']} with `fsync` {postgres['fsync']}, `synchronous_commit` "
        f"{postgres['synchronous_commit']}, `full_page_writes` {postgres['full_page_writes']}; "
        f"8 kB written and on disk in {one['fsync_us']} us (median)."
    )
