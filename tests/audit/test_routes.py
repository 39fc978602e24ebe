"""/api/v1/audit-log."""

from rewards_service.kit import ids
from tests.builders.api import Caller


class TestAuditLog:
    def test_shows_who_did_what_to_what(self, api: Caller) -> None:
        made = api.create("/partners", name="Ann", email="ann@partner.example")
        entry = api.get("/audit-log", action="partner.created")["data"][0]

        assert entry["actor"].startswith("key:")
        assert (entry["subject_kind"], entry["subject_id"]) == ("partner", made["id"])
        assert (entry["reason"], len(entry["hash"])) == (None, 64)
        assert api.get(f"/audit-log/{entry['id']}") == entry

    def test_is_filtered(self, api: Caller) -> None:
        ann = api.create("/partners", name="Ann", email="ann@partner.example")["id"]
        api.create("/partners", name="Bob", email="bob@partner.example")
        everything = api.get("/audit-log")["data"]
        at = everything[-1]["at"]

        def found(**query: str) -> list[str]:
            return [entry["id"] for entry in api.get("/audit-log", **query)["data"]]

        assert len(found(subject_kind="partner", subject_id=ann)) == 1
        assert len(found(actor=everything[-1]["actor"])) == 2
        assert found(actor="nobody") == []
        assert found(**{"at[gte]": at}) == [everything[-1]["id"]]
        assert found(**{"at[lt]": at}) == [entry["id"] for entry in everything[:-1]]

    def test_pages_by_key(self, api: Caller) -> None:
        for number in range(3):
            api.create("/partners", name="Ann", email=f"ann{number}@partner.example")
        first = api.get("/audit-log", limit=2, sort="-id")
        second = api.get("/audit-log", limit=2, sort="-id", cursor=first["next_cursor"])

        assert len({entry["id"] for page in (first, second) for entry in page["data"]}) == 4

    def test_needs_its_scope(self, api: Caller) -> None:
        other = api.make_key(["crm:read"])
        right = api.make_key(["audit:read"])

        assert api.call("GET", "/audit-log", key=other).status_code == 403
        assert api.call("GET", "/audit-log", key=right).status_code == 200

    def test_an_entry_that_is_not_there_is_not_found(self, api: Caller) -> None:
        assert api.call("GET", f"/audit-log/{ids.encode('aud', 99)}").status_code == 404
        assert api.pointers("GET", "/audit-log?subject_id=none") == ["/subject_id"]
