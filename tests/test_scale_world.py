"""The large worlds that speed is measured on are worlds that the service could have made."""

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from bench import scale_slice, scale_world
from rewards_service.reports.checks import run_checks


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
class TestGrow:
    def test_every_invariant_holds_of_the_copies(
        self, engine: Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(scale_slice, "PARTNERS", 20)
        scale_slice.make(engine, 200)

        assert scale_world.grow(engine, 200, 1_000, whole=1.0) == 1_000

        with Session(engine) as session:
            assert [check for check in run_checks(session) if not check.ok] == []
            counted = session.execute(
                text(
                    "SELECT count(*), count(DISTINCT invoice_id), count(DISTINCT customer_id), "
                    "count(DISTINCT status) FROM rewards"
                )
            ).one()
            paid = session.execute(text("SELECT count(*) FROM payouts WHERE status = 'paid'"))
            assert tuple(counted) == (1_000, 1_000, 250, 6)
            assert paid.scalar_one() > 0
