"""The first page: what waits, and what a person should look at."""

from collections.abc import Sequence
from urllib.parse import urlencode

from babel.dates import format_date
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from rewards_service.admin import figures
from rewards_service.admin.layout import address_of, locale
from rewards_service.admin.numbers import summary, weeks
from rewards_service.admin.numbers.charts import BAR, Chart, Series
from rewards_service.admin.pages import Pages, show
from rewards_service.integrations.queries import is_connected
from rewards_service.kit.web import current_session, current_settings
from rewards_service.samples.company import find_sample_site

blueprint = Pages("overview")


@blueprint.page("/", permission="overview:read")
def show_overview() -> ResponseReturnValue:
    """Cards, the attention list, the last weeks, who came first."""
    session = current_session()
    found, made_at = summary.read(session)
    return show(
        "overview.html",
        found=found,
        made_at=made_at,
        chart=_picture(found.weeks),
        all_weeks=_link("Report", "reports_pages.show_timeseries", interval="week"),
        boards=[
            ("top-month", "Top partners this month", found.of_month,
             _link("Report", "reports_pages.show_leaderboard", period=f"{found.month:%Y-%m}")),
            ("top-quarter", "Top partners of the last three months", found.of_quarter, None),
        ],
        attention=figures.attention(session, current_settings()),
        connected=is_connected(session),
        sample=find_sample_site(session) is not None,
    )  # fmt: skip


def _picture(found: Sequence[weeks.Week]) -> Chart | None:
    """None where there is nothing to be seen."""
    made = [week.rewards for week in found]
    if not any(made):
        return None
    days = [format_date(week.first, "d MMM", locale=locale()) for week in found]
    return Chart("Rewards per week", BAR, days, [Series("Rewards", made)])


def _link(title: str, endpoint: str, **query: str) -> Markup | None:
    """A small link, where that page is there."""
    place = address_of(endpoint)
    if place is None:
        return None
    return Markup('<a href="{}?{}">{}</a>').format(place, urlencode(query), title)
