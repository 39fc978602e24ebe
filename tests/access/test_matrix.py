"""Every operation, every scope, every kind of key, another partner's id."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import product

import pytest
from flask import Flask
from sqlalchemy import Engine, update

from rewards_service.accounts.models import ApiKey
from rewards_service.accounts.service import ADMIN, PARTNER_SCOPES, SCOPES
from rewards_service.kit.clock import utc_now
from rewards_service.kit.db import transaction
from rewards_service.kit.web import ANY_KEY
from tests.access.table import PARTNERS, Operation, committed, served
from tests.access.two_partners import build, path_of, traces
from tests.builders.api import PROBLEM, Caller
from tests.builders.world import World

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
QUERY = {"/payouts/balances": "?partner_id=<partner_id>",
         "/payouts/<payout_id>/export": "?format=csv",
         "/reports/partners/<partner_id>/statement": "?month=2026-01"}  # fmt: skip


class TestOperations:
    @ON_SQLITE
    def test_the_committed_table_has_each_with_its_scope_and_for_whom(self, app: Flask) -> None:
        assert sorted(served(app)) == sorted(committed())

    def test_what_keys_of_partners_may_do_only_reads(self) -> None:
        open_to_them = [one for one in committed() if one.whose == PARTNERS]

        assert {one.method for one in open_to_them} == {"GET"}
        assert {one.scope for one in open_to_them} == {*PARTNER_SCOPES, ANY_KEY}


class TestKeysOfTheHouse:
    @ON_SQLITE
    def test_a_scope_opens_its_operations_and_no_other(self, api: Caller) -> None:
        for scope in SCOPES:
            key = api.make_key([scope])
            for one in committed():
                allowed = scope == ADMIN or one.scope in (scope, ANY_KEY)
                answer = api.call(one.method, path_of(one.path, {}), key=key)
                passed = answer.status_code not in (401, 403)
                assert passed == allowed, (one, scope, answer.text)
                assert allowed or one.scope in answer.get_json()["detail"]

    @ON_SQLITE
    def test_no_live_key_opens_nothing(self, api: Caller, engine: Engine) -> None:
        expired, revoked = api.make_key([ADMIN]), api.make_key([ADMIN])
        past = utc_now() - timedelta(seconds=1)
        with transaction(engine) as session:
            for key, change in ((expired, {"expires_at": past}), (revoked, {"revoked_at": past})):
                public = ApiKey.public_part == key.split("_")[1]
                session.execute(update(ApiKey).where(public).values(**change))
        unknown = f"{api.key[:-4]}0000"
        headers = [{"Authorization": f"Bearer {key}"} for key in (expired, revoked, unknown)]
        for one, given in product(committed(), [{}, *headers]):
            path = f"/api/v1{path_of(one.path, {})}"
            answer = api.client.open(path, method=one.method, headers=given)
            assert (answer.status_code, answer.mimetype) == (401, PROBLEM), (one, given)
        for method, path in (("PUT", "/leads"), ("TRACE", "/me"), ("GET", "/nowhere")):
            assert api.client.open(f"/api/v1{path}", method=method).status_code == 401


class TestKeysOfPartners:
    @ON_SQLITE
    def test_they_never_reach_another_partner(self, api: Caller, world: World) -> None:
        """With each scope and all of them: refused, or as if what is Bravo's did not exist."""
        pair = build(world, api)
        held = [*((scope,) for scope in PARTNER_SCOPES), PARTNER_SCOPES]
        keys = [(scopes, api.make_key(scopes, pair.alpha.partner_id)) for scopes in held]
        for (scopes, key), (one, path) in product(keys, _paths(pair.bravo.ids)):
            answer = api.call(one.method, path, key=key)
            expected = _expected(one, scopes)
            assert answer.status_code == expected, (one, scopes, answer.text)
            assert traces(pair, answer.text) == [], (one, scopes)


def _paths(given: dict[str, str]) -> Iterator[tuple[Operation, str]]:
    for one in committed():
        rule = one.path + QUERY.get(one.path, "")
        path = path_of(rule, given)
        if one.whose == PARTNERS:  # a new placeholder needs a row of Bravo's: see two_partners
            assert "none" not in path, one
        yield one, path


def _expected(one: Operation, scopes: tuple[str, ...]) -> int:
    if one.whose != PARTNERS or one.scope not in (*scopes, ANY_KEY):
        return 403
    return 404 if "<" in one.path + QUERY.get(one.path, "") else 200
