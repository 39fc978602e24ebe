"""API keys over HTTP."""

from tests.builders.api import Caller


class TestApiKeys:
    def test_a_key_is_shown_once(self, api: Caller) -> None:
        made = api.create("/api-keys", name="CI", scopes=["crm:read", "crm:read"])

        assert made["key"].startswith("rk_")
        assert made["scopes"] == ["crm:read"]
        assert "key" not in api.get(f"/api-keys/{made['id']}")
        assert all("key" not in item for item in api.get("/api-keys")["data"])

    def test_unknown_scopes_none_and_a_past_expiry_are_refused(self, api: Caller) -> None:
        assert api.pointers("POST", "/api-keys", name="x", scopes=["all"]) == ["/scopes/0"]
        assert api.pointers("POST", "/api-keys", name="x", scopes=[]) == ["/scopes"]
        past = {"name": "x", "scopes": ["crm:read"], "expires_at": "2020-01-01T00:00:00Z"}
        assert api.pointers("POST", "/api-keys", **past) == ["/expires_at"]

    def test_me_is_the_key_of_the_request(self, api: Caller) -> None:
        made = api.create("/api-keys", name="reader", scopes=["crm:read"])
        found = api.call("GET", "/me", key=made["key"]).get_json()

        assert (found["id"], found["scopes"]) == (made["id"], ["crm:read"])

    def test_nothing_but_the_name_can_be_changed(self, api: Caller) -> None:
        made = api.create("/api-keys", name="old", scopes=["crm:read"])
        path = f"/api-keys/{made['id']}"

        assert api.change(path, name="new")["name"] == "new"
        assert api.pointers("PATCH", path, name="new", scopes=["admin"]) == ["/scopes"]
        assert api.get(path)["scopes"] == ["crm:read"]
