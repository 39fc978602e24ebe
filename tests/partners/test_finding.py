"""Whom people mean by a text."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from rewards_service.kit import ids
from rewards_service.partners.finding import meant_by
from rewards_service.partners.models import Partner
from rewards_service.partners.service import create_partner

NAMES = ("Zoë_Ltd", "zoe & co", "Émile Zola", "50% off")


class TestMeantBy:
    def test_the_beginning_of_a_name_a_whole_address_an_id(self, session: Session) -> None:
        """DOMAIN E1: an address is found in any spelling."""
        made = {
            name: create_partner(
                session,
                {"name": name, "email": f"P{number}@Büro.example", "status": "active",
                 "external_id": f"E-{number}"},
                "cli",
            )
            for number, name in enumerate(NAMES)
        }  # fmt: skip
        expected = {
            "zo": {"Zoë_Ltd", "zoe & co"}, "ZOË_": {"Zoë_Ltd"}, "zoëx": set(),
            "émile z": {NAMES[2]}, "zoe\x00 &": {"zoe & co"},
            "zola": set(), "%": set(), "50%": {"50% off"}, "E-3": {"50% off"}, "E-": set(),
            "p1@BÜRO.example": {"zoe & co"}, ids.encode("par", made["Zoë_Ltd"].id): {"Zoë_Ltd"},
            "\x07@x": set(),
        }  # fmt: skip
        found = {
            text: set(session.scalars(select(Partner.name).where(meant_by(text))))
            for text in expected
        }

        assert found == expected
