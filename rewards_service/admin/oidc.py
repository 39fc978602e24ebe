"""OpenID Connect: authorization code with PKCE, state and nonce; the answer is believed last.

Authlib knows the rules of ID tokens, joserfc their signatures; every call goes by our own client:
a deadline, no redirects, no cookies, little of the answer, and only to addresses that are https.
"""

import json
import secrets
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, quote_plus, urlsplit, urlunsplit

from authlib.common.urls import add_params_to_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from rewards_service.admin.oidc_refused import BROKEN, Refused
from rewards_service.kit import crypto
from rewards_service.kit.http import Answer, Call, HttpClient, Patience
from rewards_service.kit.http_errors import HttpError
from rewards_service.setting_checks import is_provider
from rewards_service.settings import Settings

SCOPES = "openid email profile"
# Signed by the provider's own key: neither unsigned ones, nor by the secret that we know, too.
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]
STARTED_LIVES = 600.0  # seconds at the provider
_KEPT = 3_600.0  # what the provider says of itself
_LEEWAY = 60
_PATIENCE = Patience(
    connect_seconds=5, read_seconds=10, total_seconds=12, attempts=2, body_bytes=1 << 20
)


class Provider:
    """The provider of this installation; keeps for an hour what it says of itself."""

    def __init__(self, settings: Settings) -> None:
        self._issuer = settings.oidc_issuer or ""
        self._client = settings.oidc_client_id or ""
        self._secret = settings.oidc_client_secret or ""
        self.back = f"{settings.base_url}/login/oidc/done"
        self._known: dict[str, tuple[float, Any]] = {}

    def begin(self) -> tuple[str, dict[str, Any]]:
        """Where to send somebody, and what their session must keep until they are back."""
        started = {name: secrets.token_urlsafe(32) for name in ("state", "nonce", "verifier")}
        asked = {
            "response_type": "code", "client_id": self._client, "redirect_uri": self.back,
            "scope": SCOPES, "state": started["state"], "nonce": started["nonce"],
            "code_challenge": create_s256_code_challenge(started["verifier"]),
            "code_challenge_method": "S256",
        }  # fmt: skip
        url = add_params_to_uri(self._endpoint("authorization_endpoint"), list(asked.items()))
        return url, {**started, "at": time.time()}

    def finish(self, given: Mapping[str, str], started: Mapping[str, Any]) -> dict[str, Any]:
        """What the provider says of who came back: their claims. Raises Refused.

        `given` are the parameters of the address they came back with.
        """
        if not started or not crypto.same(
            given.get("state", "").encode(), str(started["state"]).encode()
        ):
            raise Refused(BROKEN, "the state is not that of this browser")
        if time.time() - float(started["at"]) > STARTED_LIVES:
            raise Refused("That took too long. Please begin again.")
        if given.get("iss", self._issuer) != self._issuer:
            raise Refused(BROKEN, "another issuer came back")
        if "error" in given:
            raise Refused("The provider did not sign you in.", f"error {given['error'][:100]!r}")
        tokens = self._exchange(given.get("code", ""), str(started["verifier"]))
        claims = self._checked(tokens, str(started["nonce"]))
        return self._with_profile(claims, tokens)

    def _exchange(self, code: str, verifier: str) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": self.back,
            "code_verifier": verifier,
        }  # fmt: skip
        methods = self._described().get("token_endpoint_auth_methods_supported")
        auth = None
        if methods and "client_secret_basic" not in methods:
            form |= {"client_id": self._client, "client_secret": self._secret}
        else:  # RFC 6749 2.3.1: form-encoded before it is base64
            auth = (quote_plus(self._client).encode(), quote_plus(self._secret).encode())
        return self._ask("token_endpoint", "POST", form, auth=auth)

    def _checked(self, tokens: Mapping[str, Any], nonce: str) -> dict[str, Any]:
        """The claims of an ID token that is all it must be. Raises Refused."""
        raw = tokens.get("id_token")
        if not isinstance(raw, str):
            raise Refused(BROKEN, "there is no ID token")
        try:
            try:
                token = jwt.decode(raw, self._keys(), algorithms=ALGORITHMS)
            except InvalidKeyIdError:  # the provider has changed its keys
                self._known.pop("jwks_uri", None)
                token = jwt.decode(raw, self._keys(), algorithms=ALGORITHMS)
            must = {
                "iss": {"essential": True, "value": self._issuer},
                "aud": {"essential": True, "value": self._client},
            }
            params = {
                "nonce": nonce, "client_id": self._client,
                "access_token": tokens.get("access_token"),
            }  # fmt: skip
            claims = CodeIDToken(token.claims, token.header, must, params)
            claims.validate(leeway=_LEEWAY)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise Refused(BROKEN, f"the ID token is not good: {type(error).__name__}") from error
        return dict(claims)

    def _with_profile(self, claims: dict[str, Any], tokens: Mapping[str, Any]) -> dict[str, Any]:
        """Some providers name the address at their userinfo endpoint only."""
        if "email" in claims or "userinfo_endpoint" not in self._described():
            return claims
        bearer = {"Authorization": f"Bearer {tokens.get('access_token', '')}"}
        told = self._ask("userinfo_endpoint", "GET", headers=bearer)
        if told.get("sub") != claims["sub"]:
            raise Refused(BROKEN, "userinfo speaks of somebody else")
        return {**told, **claims}

    def _keys(self) -> KeySet:
        """The keys that sign: one of a kind that we do not know must not hide the others."""
        keys = self._kept("jwks_uri")["keys"]
        signing = [
            key for key in keys if key.get("kty") in ("RSA", "EC") and key.get("use") != "enc"
        ]
        return KeySet.import_key_set({"keys": signing})

    def _described(self) -> dict[str, Any]:
        """The provider's own description. Raises Refused when it is not that of our issuer."""
        described = self._kept("")
        if described.get("issuer") != self._issuer:
            self._known.clear()
            raise Refused(BROKEN, "the provider's description names another issuer")
        return described

    def _kept(self, name: str) -> dict[str, Any]:
        at, found = self._known.get(name, (0.0, {}))
        if not found or time.monotonic() - at > _KEPT:
            self._known[name] = time.monotonic(), self._ask(name)
        kept: dict[str, Any] = self._known[name][1]
        return kept

    def _endpoint(self, name: str) -> str:
        if not name:
            return f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
        url = self._described().get(name)
        if not isinstance(url, str) or not is_provider(url):
            raise Refused(BROKEN, f"the provider's {name} is no https address")
        return url

    def _ask(
        self, endpoint: str, method: str = "GET", form: Mapping[str, str] | None = None,
        auth: tuple[bytes, bytes] | None = None, headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        parts = urlsplit(self._endpoint(endpoint))
        base = urlunsplit((parts.scheme, parts.netloc, parts.path, "", ""))
        call = Call(
            f"ask the OpenID provider for its {endpoint or 'description'}", method, (),
            query=parse_qsl(parts.query), form=tuple((form or {}).items()), headers=headers,
            repeatable=method == "GET",
        )  # fmt: skip
        try:
            with HttpClient(base, auth=auth, patience=_PATIENCE) as client:
                answer = client.call(call, lambda found: found)
        except HttpError as error:
            raise Refused("The provider does not answer just now.", str(error)) from error
        return _members(answer, call.name)


def _members(answer: Answer, name: str) -> dict[str, Any]:
    try:
        found = json.loads(answer.body) if answer.status == 200 else None
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Refused(BROKEN, f"asked to {name}: status {answer.status}, or no JSON object")
    return found
