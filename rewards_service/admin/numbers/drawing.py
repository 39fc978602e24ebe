"""How the answers of reports are shown: their pictures, and their tables."""

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.admin.cells import foreign, status
from rewards_service.admin.layout import day, moment, money, month, number
from rewards_service.admin.lists import Column
from rewards_service.admin.numbers.asking import Answer, Table, View
from rewards_service.admin.numbers.charts import BAR, Chart, Series
from rewards_service.admin.numbers.parts import partner_names
from rewards_service.admin.places import link_to
from rewards_service.admin.tones import worded
from rewards_service.programs.models import Program, RewardRule
from rewards_service.reports import grouping

Row = dict[str, Any]
MOST_BARS = 12
OF_LIABILITY = {
    "pending_minor": "To review", "held_minor": "On hold", "approved_minor": "Approved",
    "in_payout_minor": "In payouts", "owed_back_minor": "Owed back", "total_minor": "Together",
}  # fmt: skip
OF_CHANGES = {
    "earned_minor": "Earned", "reversed_minor": "Taken back", "adjusted_minor": "Adjusted",
    "declined_minor": "Declined", "paid_minor": "Paid",
}  # fmt: skip


def amounts(titles: dict[str, str], priority: int = 1) -> list[Column]:
    """A column for each amount, in its row's currency."""

    def cell(name: str) -> Callable[[Row], str]:
        return lambda row: money(row[name], row["currency"])

    return [
        Column(title, cell(name), align="end", priority=priority) for name, title in titles.items()
    ]


def _counts(titles: dict[str, str], priority: int = 2) -> list[Column]:
    def cell(name: str) -> Callable[[Row], str]:
        return lambda row: number(row[name])

    return [
        Column(title, cell(name), align="end", priority=priority) for name, title in titles.items()
    ]


def rewards(session: Session, answer: Answer) -> View:
    """Groups by what they were asked to be grouped by."""
    rows = answer["data"]
    dimensions = [name for name in answer["group_by"] if name != grouping.CURRENCY]
    words = _words(session, rows)
    columns = [
        Column(name.title().replace("Program", "Programme"), words[name][1]) for name in dimensions
    ]
    columns += [Column("Currency", lambda row: row["currency"])]
    columns += amounts({"amount_minor": "Net"})
    columns += amounts({"earned_minor": "Earned", "reversed_minor": "Taken back"}, priority=2)
    columns += amounts({"adjusted_minor": "Adjusted", "paid_minor": "Paid"}, priority=3)
    columns += _counts({"rewards": "Rewards"})
    charts = []
    in_time = dimensions == ["month"]
    for currency, group in _by_currency(rows) if dimensions else []:
        largest = sorted(group, key=lambda row: -row["amount_minor"])[:MOST_BARS]
        some = group if in_time else largest
        labels = [" · ".join(words[name][0](row) for name in dimensions) for row in some]
        charts.append(Chart(
            f"Rewards, net, in {currency}", BAR, labels,
            [Series("Net", [row["amount_minor"] for row in some])], currency,
            horizontal=not in_time,
        ))  # fmt: skip
    return View(charts, [Table("Rewards", columns, rows)])


def _words(session: Session, rows: Sequence[Row]) -> dict[str, tuple[Any, Any]]:
    """Dimension -> (a row's value as text, the same as a cell)."""
    partners = partner_names(session, [row.get("partner_id") for row in rows])
    programs = _named(session, Program, [row.get("program_id") for row in rows])
    rules = _named(session, RewardRule, [row.get("rule_id") for row in rows])

    def known(kind: str, name: str, names: dict[int, Markup]) -> tuple[Any, Any]:
        return (
            lambda row: names.get(row[name], Markup("?")).striptags(),
            lambda row: link_to(kind, row[name], names.get(row[name])),
        )

    return {
        "partner": known("partner", "partner_id", partners),
        "program": known("program", "program_id", programs),
        "rule": known("reward_rule", "rule_id", rules),
        "month": (lambda row: month(row["month"]),) * 2,
        "status": (lambda row: worded(row["status"]), lambda row: status(row["status"])),
    }


def _named(session: Session, model: Any, keys: Sequence[int | None]) -> dict[int, Markup]:
    wanted = {key for key in keys if key is not None}
    rows = session.execute(select(model.id, model.name).where(model.id.in_(wanted)))
    return {key: foreign(name) for key, name in rows} if wanted else {}


def timeseries(_session: Session, answer: Answer) -> View:
    """Interval by interval."""
    rows = answer["data"]
    named = month if answer["interval"] == "month" else day
    charts = []
    for currency, some in _by_currency(rows):
        labels = [named(row["period"]) for row in some]
        shown = {name: OF_CHANGES[name] for name in list(OF_CHANGES)[:3]}
        series = [Series(title, [row[name] for row in some]) for name, title in shown.items()]
        charts.append(
            Chart(f"Rewards by {answer['interval']}", BAR, labels, series, currency, stacked=True)
        )
    columns = [
        Column("Month" if named is month else "From", lambda row: named(row["period"])),
        Column("Currency", lambda row: row["currency"]),
        *amounts({"amount_minor": "Net"}),
        *amounts({"earned_minor": "Earned", "reversed_minor": "Taken back"}, priority=2),
        *amounts({"adjusted_minor": "Adjusted", "declined_minor": "Declined",
                  "paid_minor": "Paid"}, priority=3),
        *_counts({"rewards": "Rewards"}),
    ]  # fmt: skip
    return View(charts, [Table("Rewards over time", columns, rows)])


def leaderboard(_session: Session, answer: Answer) -> View:
    """Who came first, in each currency where it is money."""
    rows = answer["data"]
    charts = []
    for currency, some in _by_currency(rows):
        first = some[:MOST_BARS]
        values = [row["count"] if currency is None else row["amount_minor"] for row in first]
        title = f"Partners by {worded(answer['metric'])}"
        labels = [row["partner_name"] or "?" for row in first]
        charts.append(
            Chart(title, BAR, labels, [Series("Together", values)], currency, horizontal=True)
        )

    def worth(row: Row) -> str:
        if row["currency"] is None:
            return number(row["count"])
        return money(row["amount_minor"], row["currency"])

    columns = [
        Column("Place", lambda row: number(row["rank"])),
        Column("Partner", lambda row: link_to(
            "partner", row["partner_id"], foreign(row["partner_name"] or "?")
        )),
        Column("Currency", lambda row: row["currency"] or "-", priority=2),
        Column("Amount or number", worth, align="end"),
    ]  # fmt: skip
    return View(charts, [Table("Partners", columns, rows)])


def statement(_session: Session, answer: Answer) -> View:
    """What was owed, what changed it, what is owed."""
    steps = {"opening_minor": "Owed before", **OF_CHANGES, "closing_minor": "Owed after"}
    charts = [
        Chart(month(answer["month"]), BAR, list(steps.values()),
              [Series("Amount", [row[name] for name in steps])], row["currency"])
        for row in answer["currencies"]
    ]  # fmt: skip
    balances = [Column("Currency", lambda row: row["currency"]), *amounts(steps)]
    lines = [
        Column("When", lambda row: moment(row["happened_at"])),
        Column("What", lambda row: worded(row["effect"])),
        *amounts({"amount_minor": "Amount"}),
        Column("Reward", lambda row: link_to("reward", row["reward_id"]), priority=2),
        Column("Invoice", lambda row: foreign(row["chargebee_invoice_id"]), priority=2),
        Column("Why", lambda row: foreign(row["reason"] or ""), priority=3),
        Column("Known since", lambda row: moment(row["posted_at"]), priority=3),
    ]
    return View(charts, [
        Table("Balance", balances, answer["currencies"]), Table("Entries", lines, answer["lines"]),
    ])  # fmt: skip


def liability(session: Session, answer: Answer) -> View:
    """What is owed, by where it stands."""
    parts = {name: title for name, title in OF_LIABILITY.items() if name != "total_minor"}
    charts = [
        Chart("Owed to partners", BAR, list(parts.values()),
              [Series("Owed", [row[name] for name in parts])], row["currency"])
        for row in answer["totals"]
    ]  # fmt: skip
    names = partner_names(session, [row["partner_id"] for row in answer["data"]])
    currency = Column("Currency", lambda row: row["currency"])
    shown = [*amounts({"total_minor": "Together"}), *amounts(parts, priority=2)]
    who = Column("Partner", lambda row: link_to(
        "partner", row["partner_id"], names.get(row["partner_id"])
    ))  # fmt: skip
    return View(charts, [
        Table("All partners", [currency, *shown], answer["totals"]),
        Table("By partner", [who, currency, *shown], answer["data"]),
    ])  # fmt: skip


def conversion(session: Session, answer: Answer) -> View:
    """From registration to the first payment."""
    total = answer["total"]
    counts = {"registered": "Registered", "converted": "Converted", "paid": "Paid"}
    chart = Chart(
        "Leads and deals", BAR, list(counts.values()),
        [Series("Number", [total[name] for name in counts])],
    )  # fmt: skip
    names = partner_names(session, [row["partner_id"] for row in answer["data"]])
    shown = [
        *_counts(counts, priority=1),
        Column("Conversion rate", lambda row: _percent(row["conversion_rate"]), 1, "end"),
        Column("Payment rate", lambda row: _percent(row["payment_rate"]), 2, "end"),
        Column("Days to conversion (median)",
               lambda row: row["median_days_to_conversion"] or "-", 3, "end"),
        Column("Days to payment (median)",
               lambda row: row["median_days_to_payment"] or "-", 3, "end"),
    ]  # fmt: skip
    who = Column("Partner", lambda row: link_to(
        "partner", row["partner_id"], names.get(row["partner_id"])
    ) if row["partner_id"] else "nobody's")  # fmt: skip
    return View([chart] if total["registered"] else [], [
        Table("Together", shown, [total]), Table("By partner", [who, *shown], answer["data"]),
    ])  # fmt: skip


def _percent(rate: str | None) -> str:
    """`0.1234` as "12.34 %"."""
    if rate is None:
        return "-"
    whole, _, digits = rate.partition(".")
    return f"{int(whole + digits[:2])}.{digits[2:]} %"


def _by_currency(rows: Sequence[Row]) -> list[tuple[Any, list[Row]]]:
    ordered = sorted(rows, key=lambda row: row["currency"] or "")
    return [(key, list(some)) for key, some in groupby(ordered, lambda row: row["currency"])]
