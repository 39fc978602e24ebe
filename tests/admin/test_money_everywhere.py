"""The way of money by its pages on both databases: what they read and lock themselves."""

from sqlalchemy.orm import Session

from rewards_service.admin.money import names
from rewards_service.admin.money.finding import find_reward
from rewards_service.audit.models import AuditEntry
from rewards_service.payouts.models import Payout
from rewards_service.rewards.models import Reward
from tests.admin.conftest import Enter
from tests.admin.money.conftest import reward_ids, statuses
from tests.admin.money.payouts import TODAY, confirmed, make, only
from tests.builders.chargebee import paid
from tests.builders.whole import violations
from tests.builders.world import World


class TestMoney:
    def test_from_review_to_paid(self, enter: Enter, world: World) -> None:
        owner, partner = enter("owner"), world.partner("Ann")
        for number, currency in (("1", "USD"), ("2", "EUR")):
            email = f"ada{number}@customer.example"
            world.lead(email, partner)
            world.accept(paid(number, f"cb{number}", email, currency_code=currency))
        world.drain()
        one, two = reward_ids(world)
        with Session(world.engine) as session:
            assert names.currencies(session, Reward.currency) == ["EUR", "USD"]
            assert find_reward(session, "cb2") == find_reward(session, "ada2@customer.example")

        found = owner.get("/rewards?search=ann@partner.example&currency=EUR")
        assert two in owner.get(found.headers["Location"]).text
        assert one not in owner.get(found.headers["Location"]).text
        adjustment = {"amount": "-1.50", "reason": "Goodwill"}
        preview = owner.post(f"/rewards/{one}/adjust", **adjustment)
        owner.post(f"/rewards/{one}/adjust", **adjustment, confirmed=confirmed(preview.text))
        assert owner.post("/rewards", ids=[one, two], action="approve").status_code == 303
        place = make(owner)
        for step in ("submit", "accept"):
            owner.post(f"{place}/{step}")
        assert "18.50" in owner.get(f"{place}/pay").text
        owner.post(f"{place}/pay", paid_on=TODAY)

        deeds = [entry.action for entry in world.all(AuditEntry)]
        for deed in ("reward.adjusted", "payout.created", "payout.paid"):
            assert deeds.count(deed) == 1  # what was only tried left nothing
        assert violations(world.engine) == {}
        assert only(world, Payout).status == "paid"
        assert statuses(world) == ["paid", "approved"]
        assert place in owner.get(f"/rewards/{one}").text
        assert f"/rewards/{one}" in owner.get(place).text
