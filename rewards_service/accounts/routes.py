"""/api/v1/api-keys and /api/v1/me."""

from typing import Any

from rewards_service.accounts import queries, service
from rewards_service.accounts.auth import current_actor, current_caller
from rewards_service.accounts.models import ApiKey
from rewards_service.accounts.schemas import (
    ApiKeyChangeSchema,
    ApiKeyPageSchema,
    ApiKeyQuerySchema,
    ApiKeySchema,
    NewApiKeySchema,
)
from rewards_service.kit.lists import page_answer, paging
from rewards_service.kit.own import own_partner
from rewards_service.kit.web import ANY_KEY, Resource, current_session, current_settings, path_key

keys = Resource("api-keys", "Keys to this interface")
me = Resource("me", "Who is asking")


@keys.operation("GET", "/api-keys", scope="admin", query=ApiKeyQuerySchema, answer=ApiKeyPageSchema)
def list_api_keys(query: dict[str, Any]) -> Any:
    """List the keys, revoked ones too."""
    page = queries.list_keys(current_session(), paging(query), query.get("partner_id"))
    return page_answer(query, page, [row[0] for row in page.rows])


@keys.operation(
    "POST", "/api-keys", scope="admin", body=ApiKeySchema, answer=NewApiKeySchema, status=201
)
def create_api_key(body: dict[str, Any]) -> Any:
    """Make a key; `key` in the answer is shown this once."""
    key, text = service.create_key(
        current_session(),
        body["name"],
        body["scopes"],
        body["expires_at"],
        secret_key=current_settings().secret_key,
        actor=current_actor(),
        partner_id=body["partner_id"],
    )
    return {**_shown(key), "key": text}


@keys.operation("GET", "/api-keys/<key_id>", scope="admin", answer=ApiKeySchema)
def get_api_key(key_id: str) -> Any:
    """Get one key."""
    return service.get_key(current_session(), path_key("key", key_id))


@keys.operation(
    "PATCH", "/api-keys/<key_id>", scope="admin", body=ApiKeyChangeSchema, answer=ApiKeySchema
)
def change_api_key(body: dict[str, Any], key_id: str) -> Any:
    """Give a key another name."""
    key = path_key("key", key_id)
    return service.rename_key(current_session(), key, body["name"], current_actor())


@keys.operation("DELETE", "/api-keys/<key_id>", scope="admin", status=204)
def revoke_api_key(key_id: str) -> Any:
    """Revoke a key for good. It stays listed."""
    service.revoke_key(current_session(), path_key("key", key_id), current_actor())


@me.operation("GET", "/me", scope=ANY_KEY, answer=ApiKeySchema, for_partners=True)
def get_me() -> Any:
    """The key of this request."""
    own_partner()  # a key sees itself, whoever's it is
    return service.get_key(current_session(), current_caller().key_id)


def _shown(key: ApiKey) -> dict[str, Any]:
    names = (
        "id", "name", "scopes", "partner_id", "expires_at", "created_at", "last_used_at",
        "revoked_at",
    )  # fmt: skip
    return {name: getattr(key, name) for name in names}
