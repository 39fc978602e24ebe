"""Signing in at an OpenID provider: every way to be refused."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import pytest
from flask import Flask

from rewards_service.admin.oidc import Provider
from rewards_service.admin.oidc_refused import Refused
from rewards_service.app import create_app
from rewards_service.settings import Settings
from tests.admin.single_sign_on.ways import DONE, forget, go, refused, sign_out
from tests.admin.visitor import Visitor
from tests.peers.openid import OpenIdProvider

Turn = Callable[[OpenIdProvider], None]


def claim(**changed: Any) -> Turn:
    """The next ID token says something else; None: nothing of that name."""

    def turn(provider: OpenIdProvider) -> None:
        provider.change = lambda claims: {
            name: value for name, value in (claims | changed).items() if value is not None
        }

    return turn


def described(**changed: str) -> Turn:
    return lambda provider: provider.about.update(changed)


def signed(by: str) -> Turn:
    return lambda provider: setattr(provider, "sign", getattr(provider, by))


TURNS = [
    claim(nonce="another"), claim(nonce=None),
    claim(iss="https://evil.example"), claim(iss=None),
    claim(aud="another client"), claim(aud=["rewards", "another"]), claim(aud=None),
    claim(azp="another client"), claim(exp=1), claim(exp=None), claim(sub=None),
    claim(iat=2**40), claim(at_hash="wrong"),
    signed("unsigned"), signed("signed_by_secret"), signed("signed_by_another"),
    described(issuer="https://evil.example"),
    described(token_endpoint="http://169.254.169.254/latest"),
    described(jwks_uri="file:///etc/passwd"), described(token_endpoint="nonsense"),
]  # fmt: skip
BACKS = [
    {"state": "another"}, {"state": ""}, {"code": "made-up"}, {"error": "access_denied"},
    {"iss": "https://evil.example"},
]  # fmt: skip


class TestRefused:
    def test_an_answer_that_is_not_all_it_must_be(
        self, visitor: Visitor, provider: OpenIdProvider
    ) -> None:
        right = {"change": provider.change, "sign": provider.sign}
        for number, turn in enumerate(TURNS):
            vars(provider).update(right, about={})
            forget(visitor)
            sent = visitor.get("/login/oidc").headers["Location"]
            back = provider.visit(urlsplit(sent).query)
            turn(provider)
            forget(visitor)

            answer = visitor.get(f"{DONE}?{urlencode(back)}")
            assert answer.headers["Location"] == "/login", number
            assert refused(visitor), number

    def test_a_way_back_that_is_not_that_of_this_browser(
        self, visitor: Visitor, provider: OpenIdProvider
    ) -> None:
        for changed in BACKS:
            assert go(visitor, provider, **changed) == "/login", changed
            assert refused(visitor), changed

    def test_a_way_back_works_once_and_for_a_while(
        self, visitor: Visitor, provider: OpenIdProvider, app: Flask, settings: Settings
    ) -> None:
        sent = urlsplit(visitor.get("/login/oidc").headers["Location"]).query
        back = urlencode(provider.visit(sent))
        stranger = Visitor(app, settings)
        stranger.get(f"{DONE}?{back}")
        assert not stranger.is_signed_in()
        visitor.get(f"{DONE}?{back}")
        assert visitor.is_signed_in()
        sign_out(visitor)
        visitor.get(f"{DONE}?{back}")
        assert refused(visitor)

        own = Provider(settings)
        url, started = own.begin()
        given = provider.visit(urlsplit(url).query)
        started["at"] -= 601
        with pytest.raises(Refused, match="took too long"):
            own.finish(given, started)

    def test_it_leads_to_no_other_site(self, visitor: Visitor, provider: OpenIdProvider) -> None:
        for target in ("https://evil.example", "//evil.example", "/\\evil.example"):
            sent = visitor.get("/login/oidc?" + urlencode({"next": target})).headers["Location"]
            back = urlencode(provider.visit(urlsplit(sent).query))
            led = urljoin("https://r.example", visitor.get(f"{DONE}?{back}").headers["Location"])
            assert led.startswith("https://r.example/")
            sign_out(visitor)

    def test_where_it_is_not_set_up_there_is_nothing(self, settings: Settings) -> None:
        plain = replace(settings, oidc_issuer=None)
        visitor = Visitor(create_app(plain), plain)

        assert "/login/oidc" not in visitor.get("/login").text
        assert [visitor.get(path).status_code for path in ("/login/oidc", DONE)] == [404, 404]
