"""Settings as pages: nothing secret, rates and schedules as the API has them."""

import re

from sqlalchemy import Engine, select

from rewards_service.kit.db import transaction
from rewards_service.payouts.models import ExchangeRate
from rewards_service.settings import Settings
from tests.admin.conftest import Enter
from tests.admin.visitor import Visitor


class TestSettings:
    def test_it_says_what_is_configured_and_no_secret(
        self, owner: Visitor, settings: Settings
    ) -> None:
        page = owner.get("/settings").text

        assert "SQLite" in page
        assert "the newest" in page
        assert re.search(r"\d+ workers? at work", page)
        hidden = (settings.secret_key, *settings.encryption_keys, settings.database_url,
                  settings.redis_url)  # fmt: skip
        assert not [secret for secret in hidden if secret in page]

    def test_rates_are_for_those_who_pay(self, enter: Enter) -> None:
        finance, viewer = enter("finance"), enter("viewer")

        assert finance.get("/settings").status_code == 403
        assert "Keep the rate" in finance.get("/settings/rates").text
        assert 'href="/settings"' not in finance.get("/settings/rates").text
        assert "Keep the rate" not in viewer.get("/settings/rates").text
        assert viewer.post("/settings/rates", rate="1").status_code == 403


class TestRates:
    def test_one_is_kept_as_it_was_typed(self, owner: Visitor, engine: Engine) -> None:
        form = {"from_currency": "eur", "to_currency": "USD", "rate_on": "2026-01-31",
                "rate": "1.084200000001", "source": "<ECB>"}  # fmt: skip
        answer = owner.post("/settings/rates", **form)
        page = owner.get("/settings/rates?from_currency=eur").text

        assert answer.status_code == 302
        assert "1 EUR = 1.084200000001 USD" in page
        assert "&lt;ECB&gt;" in page
        with transaction(engine) as session:
            assert session.scalars(select(ExchangeRate.rate)).one() == "1.084200000001"

    def test_what_is_no_rate_is_refused_at_its_field(self, owner: Visitor, engine: Engine) -> None:
        form = {"from_currency": "EUR", "to_currency": "EUR", "rate_on": "2026-01-31",
                "rate": "1e3", "source": "ECB"}  # fmt: skip
        page = owner.post("/settings/rates", **form)

        assert page.status_code == 422
        assert 'id="rate-error"' in page.text
        assert 'value="1e3"' in page.text
        with transaction(engine) as session:
            assert session.scalars(select(ExchangeRate)).all() == []
