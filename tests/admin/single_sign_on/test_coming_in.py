"""Signing in at an OpenID provider: who is let in, and as whom."""

from dataclasses import replace

from passlib.totp import TOTP
from sqlalchemy import Engine, select, update

from rewards_service.accounts.user_models import User
from rewards_service.accounts.users import forget_second_factor
from rewards_service.app import create_app
from rewards_service.audit.models import AuditEntry
from rewards_service.kit.db import transaction
from rewards_service.settings import Settings
from tests.admin.single_sign_on.ways import go, refused, sign_out
from tests.admin.visitor import Visitor
from tests.peers.openid import Claims, OpenIdProvider

UNKNOWN: list[Claims] = [
    {"email": "nobody@p.example.com"},
    {"email": "nobody@p.example.com", "groups": ["others"]},
    {"email": "nobody@p.example.com", "groups": {"staff": 1}},
    {"email": "no address", "groups": "staff"},
    {"email_verified": False}, {"email_verified": "true"}, {"email_verified": None},
    {"email": ["a@p.example.com"]}, {"email": ""},
]  # fmt: skip


class TestSignIn:
    def test_who_has_an_account_is_let_in_to_where_they_wanted(
        self, visitor: Visitor, provider: OpenIdProvider, engine: Engine, email: str
    ) -> None:
        assert "Use Example SSO" in visitor.get("/login").text
        assert go(visitor, provider) == "/users"
        assert visitor.is_signed_in()
        with transaction(engine) as session:
            user = session.scalars(select(User).where(User.email == email)).one()
            entry = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
            assert entry is not None
            assert (entry.action, entry.subject_id) == ("user.vouched_for", user.id)
            assert entry.detail == {"issuer": provider.issuer, "subject": "subject-1"}
        assert visitor.get("/login/oidc").headers["Location"] == "/"
        sign_out(visitor)
        assert not visitor.is_signed_in()

    def test_the_second_factor_is_asked_for_here_too(
        self, visitor: Visitor, provider: OpenIdProvider, key: str
    ) -> None:
        step = go(visitor, provider)
        assert step.startswith("/login/code")
        visitor.get(step)
        assert not visitor.is_signed_in()
        code = TOTP(key).generate().token
        assert visitor.post(step, code=code).headers["Location"] == "/users"
        assert visitor.is_signed_in()

    def test_a_provider_with_other_customs_is_understood(
        self, visitor: Visitor, provider: OpenIdProvider
    ) -> None:
        """Address at userinfo only, secret in the form, and new keys since yesterday."""
        provider.at_userinfo, provider.person = provider.person, {}
        provider.about = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
        assert go(visitor, provider) == "/users"
        sign_out(visitor)
        provider.keys.append(type(provider.keys[0]).generate_key(2048, {"kid": "two"}))

        assert go(visitor, provider) == "/users"
        assert visitor.is_signed_in()
        asked = len(provider.asked)
        sign_out(visitor)
        go(visitor, provider)
        assert provider.asked[asked:] == ["/realms/main/token/", "/realms/main/userinfo"]


class TestPeople:
    def test_a_group_gives_who_is_new_its_strongest_role(
        self, visitor: Visitor, provider: OpenIdProvider, engine: Engine
    ) -> None:
        provider.person = {"email": "new@p.example.com", "email_verified": True,
                           "groups": ["staff", "money", "other"]}  # fmt: skip
        go(visitor, provider)
        assert visitor.is_signed_in()
        sign_out(visitor)
        provider.person["groups"] = ["staff"]
        go(visitor, provider)

        with transaction(engine) as session:
            made = session.scalars(select(User).where(User.email == "new@p.example.com")).one()
            assert (made.role, made.password) == ("finance", None)

    def test_nobody_comes_in_uninvited_or_by_an_address_that_may_not_be_theirs(
        self, visitor: Visitor, provider: OpenIdProvider
    ) -> None:
        known = provider.person
        for changed in UNKNOWN:
            provider.person = known | changed
            assert go(visitor, provider) == "/login", changed
            assert refused(visitor), changed

    def test_a_known_subject_is_known_by_another_address_too(
        self, visitor: Visitor, provider: OpenIdProvider, email: str
    ) -> None:
        go(visitor, provider)
        sign_out(visitor)
        provider.person["email"] = "married@p.example.com"

        assert go(visitor, provider) == "/users"
        assert email in visitor.get("/account").text

    def test_who_inherits_an_address_does_not_inherit_the_account_until_an_owner_says_so(
        self, visitor: Visitor, provider: OpenIdProvider, engine: Engine, email: str
    ) -> None:
        go(visitor, provider)
        sign_out(visitor)
        provider.change = lambda claims: {**claims, "sub": "successor"}

        assert go(visitor, provider) == "/login"
        assert refused(visitor)
        with transaction(engine) as session:
            user = session.scalars(select(User).where(User.email == email)).one()
            forget_second_factor(session, user.id, "test")

        assert go(visitor, provider) == "/users"

    def test_who_was_closed_out_stays_out_whatever_their_group(
        self, visitor: Visitor, provider: OpenIdProvider, engine: Engine
    ) -> None:
        provider.person["groups"] = ["money"]
        with transaction(engine) as session:
            session.execute(update(User).values(active=False))

        assert go(visitor, provider) == "/login"
        assert refused(visitor)

    def test_other_domains_stay_out(
        self, settings: Settings, provider: OpenIdProvider, email: str
    ) -> None:
        for domain, opens in (("people.example.com", True), ("example.com", False)):
            wanted = replace(settings, oidc_domains=(domain,))
            visitor = Visitor(create_app(wanted), wanted)
            go(visitor, provider)
            assert visitor.is_signed_in() == opens
