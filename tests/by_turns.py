"""`pytest --by-turns`, as `make test` runs: a test that would run on both databases runs on one.

Half of such tests meet SQLite and half PostgreSQL, in every module, by their names: always the
same. What the two could tell apart runs on both all the same. Without the switch, as in
`make test-databases`, every test does.
"""

import re
from collections.abc import Sequence
from zlib import crc32

# Money in the books, who comes first of several, what is asked in one dialect: on both, always.
BOTH: tuple[str, ...] = (
    "tests/audit/",
    "tests/cli/test_init.py", "tests/cli/test_partitions.py",
    "tests/crm/test_matching.py",
    "tests/history/test_sudden_ends.py",
    "tests/inbox/test_service.py",
    "tests/kit/",
    "tests/mirror/",
    "tests/operations/",
    "tests/outbound/test_jobs.py",
    "tests/partners/test_finding.py",
    "tests/payouts/test_making.py", "tests/payouts/test_races.py", "tests/payouts/test_service.py",
    "tests/payouts/test_whole_way.py",
    "tests/proofs/",
    "tests/properties/",
    "tests/replay/test_differences.py",
    "tests/reports/test_audit_checks.py", "tests/reports/test_report_statements.py",
    "tests/rewards/test_adjusting.py", "tests/rewards/test_ledger.py",
    "tests/rewards/test_months.py", "tests/rewards/test_service.py",
    "tests/rewards/test_settled_for_good.py", "tests/rewards/test_whole_service.py",
    "tests/test_migrations.py", "tests/test_migrations_online.py",
    "tests/test_story.py", "tests/test_sudden_ends.py",
    "tests/transactions/test_due.py",
    "tests/webhooks/test_any_order.py", "tests/webhooks/test_routes.py",
)  # fmt: skip
KIND = re.compile(r"(?<=[\[-])(sqlite|postgresql)(?=[\]-])")


def left_out(names: Sequence[str]) -> set[int]:
    """Which tests of these names (node ids) do not run when databases take turns: their places."""
    pairs: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        if KIND.search(name) and not name.startswith(BOTH):
            pairs.setdefault(KIND.sub("", name, count=1), []).append(place)
    # The one whose turn it is not; what runs on one database anyway has no partner here.
    return {
        sorted(pair, key=lambda place: names[place])[crc32(name.encode()) % 2]
        for name, pair in pairs.items()
        if len(pair) == 2
    }
