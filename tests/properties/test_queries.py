"""Examples of properties: the newest of one site, however many others there are."""

from sqlalchemy.orm import Session

from rewards_service.properties.names import CHARGEBEE_PROPERTIES, CUSTOMER_ID, INVOICE_ID
from rewards_service.properties.queries import definitions, examples
from rewards_service.properties.service import (
    add_values,
    define_chargebee_properties,
    definition_ids,
)


class TestExamples:
    def test_the_newest_of_this_site_and_property(self, session: Session) -> None:
        define_chargebee_properties(session)
        keys = definition_ids(session)
        of_one = [(subject, 1, 0, f"cus{subject}") for subject in (1, 1_000, 1_001, 1_002, 1_003)]
        add_values(session, keys[CUSTOMER_ID], True, [*of_one, (1_004, 2, 0, "another's")])
        add_values(session, keys[INVOICE_ID], False, [(1_005, 1, 0, "inv")])

        found = examples(session, keys[CUSTOMER_ID], 1, newest=1_004)
        assert found == [(1_003, "cus1003"), (1_002, "cus1002"), (1_001, "cus1001")]
        assert examples(session, keys[CUSTOMER_ID], 2, newest=5_000) == []
        assert [one.key for one in definitions(session)] == [
            standard.key for standard in CHARGEBEE_PROPERTIES
        ]
