"""Whether who pays is a partner itself."""

from sqlalchemy import event
from sqlalchemy.orm import Session

from rewards_service.crm.models import Customer
from rewards_service.crm.self_referral import SelfReferral, self_referral_facts
from rewards_service.kit.emails import loose_key, strict_key
from rewards_service.partners.models import Partner
from tests.builders.world import World


def partner(world: World, email: str) -> int:
    row = Partner(name="P", email=email, email_key=strict_key(email), loose_key=loose_key(email),
                  status="active")  # fmt: skip
    return world.add(row)


def facts(session: Session) -> dict[int, SelfReferral]:
    return self_referral_facts(session, session.query(Customer).all())


class TestSelfReferralFacts:
    def test_the_same_address_of_any_partner_holds(self, world: World, session: Session) -> None:
        """DOMAIN S6."""
        ann = world.partner("Ann")
        partner(world, "bob@partner.example")
        customer = world.person("Bob@Partner.example", ann)

        found = facts(session)

        assert (found[customer].strict, set(found[customer].flags)) == (
            True, {"self_referral_loose_key", "self_referral_domain"},
        )  # fmt: skip

    def test_a_loose_likeness_or_the_domain_of_its_own_partner_flags(
        self, world: World, session: Session
    ) -> None:
        """DOMAIN S6, E4: a flag, no hold; sharing a free mail provider is neither."""
        ann, eve = partner(world, "a.n.n@gmail.com"), partner(world, "eve@agency.example")
        loose = world.person("ann+shop@gmail.com")
        colleague = world.person("max@agency.example", eve)
        stranger = world.person("max@agency.example", ann)
        same_provider = world.person("zoe@gmail.com", ann)
        nameless = world.add(Customer(name="No e-mail", source_partner_id=ann))

        found = facts(session)

        assert found == {
            loose: SelfReferral(False, ["self_referral_loose_key"]),
            colleague: SelfReferral(False, ["self_referral_domain"]),
        }
        assert not {stranger, same_provider, nameless} & found.keys()

    def test_partners_who_share_the_reward_count_too(self, world: World, session: Session) -> None:
        """DOMAIN S6, S7."""
        eve = partner(world, "eve@agency.example")
        customer = world.person("max@agency.example")
        rows = session.query(Customer).all()

        found = self_referral_facts(session, rows, {customer: [eve]})

        assert found[customer].flags == ["self_referral_domain"]

    def test_a_batch_costs_two_statements(self, world: World, session: Session) -> None:
        for number in range(20):
            world.person(f"c{number}@one.example", world.partner(f"P{number}"))
        rows = session.query(Customer).all()
        found: list[str] = []
        event.listen(session.get_bind(), "before_cursor_execute", lambda *a: found.append(a[2]))

        assert self_referral_facts(session, rows) == {}
        assert len(found) == 2
