"""A small OpenID provider over HTTP: does everything right, but for what a test changes."""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable
from typing import Any, Self
from urllib.parse import parse_qsl, unquote_plus

from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from werkzeug.serving import BaseWSGIServer, make_server
from werkzeug.wrappers import Request, Response

CLIENT, SECRET = "rewards", "s3cret of/the client"
BACK = "https://rewards.example.com/login/oidc/done"
Claims = dict[str, Any]


class OpenIdProvider:
    """One client, one person, who says yes at once.

    `person` are claims of its ID tokens, which `change` may turn and `sign` signs; `about` is laid
    over its description; `at_userinfo` are claims that only userinfo tells.
    """

    def __init__(self) -> None:
        self.person: Claims = {}
        self.at_userinfo: Claims = {}
        self.change: Callable[[Claims], Claims] = lambda claims: claims
        self.about: Claims = {}
        self.keys = [RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})]
        self.sign: Callable[[Claims], str] = self._signed
        self.asked: list[str] = []
        self._codes: dict[str, dict[str, str]] = {}
        self._server: BaseWSGIServer = make_server("127.0.0.1", 0, self._serve, threaded=True)
        self.issuer = f"http://127.0.0.1:{self._server.server_port}/realms/main"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def visit(self, query: str) -> dict[str, str]:
        """What a browser comes back with that was sent here with this query."""
        given = dict(parse_qsl(query))
        assert (given["client_id"], given["redirect_uri"]) == (CLIENT, BACK)
        assert given["code_challenge_method"] == "S256"
        assert given["scope"].split()[0] == "openid"
        code = secrets.token_urlsafe(16)
        self._codes[code] = given
        return {"code": code, "state": given["state"], "iss": self.issuer}

    def unsigned(self, claims: Claims) -> str:
        parts = ({"alg": "none", "kid": "one"}, claims)
        return ".".join(map(_packed, (json.dumps(part).encode() for part in parts))) + "."

    def signed_by_secret(self, claims: Claims) -> str:
        key = OctKey.import_key(self.keys[0].as_pem(private=False))
        header = {"alg": "HS256", "kid": "one"}
        return jwt.encode(header, claims, key, algorithms=["HS256"])

    def signed_by_another(self, claims: Claims) -> str:
        stranger = RSAKey.generate_key(2048, {"kid": "one"})
        return jwt.encode({"alg": "RS256", "kid": "one"}, claims, stranger)

    def _signed(self, claims: Claims) -> str:
        key = self.keys[-1]
        return jwt.encode({"alg": "RS256", "kid": key.kid}, claims, key)

    def _serve(self, environ: Any, start: Any) -> Any:
        request = Request(environ)
        self.asked.append(request.path)
        pages: dict[str, Callable[[Request], Claims | None]] = {
            "/realms/main/.well-known/openid-configuration": self._describe,
            "/realms/main/keys": self._publish, "/realms/main/token/": self._token,
            "/realms/main/userinfo": self._userinfo,
        }  # fmt: skip
        answer = pages[request.path](request) if request.path in pages else None
        return Response(
            json.dumps(answer), 404 if answer is None else 200, mimetype="application/json"
        )(environ, start)

    def _describe(self, _request: Request) -> Claims:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize?tenant=1",
            "token_endpoint": f"{self.issuer}/token/",
            "jwks_uri": f"{self.issuer}/keys",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            **self.about,
        }

    def _publish(self, _request: Request) -> Claims:
        strange = {"kty": "XX", "kid": "of another time"}
        return {"keys": [strange, *(key.as_dict(private=False) for key in self.keys)]}

    def _token(self, request: Request) -> Claims | None:
        form, login = request.form, request.authorization
        if login is not None:
            known = (unquote_plus(login.username or ""), unquote_plus(login.password or ""))
        else:
            known = (form["client_id"], form["client_secret"])
        asked = self._codes.pop(form["code"], None)
        challenge = _packed(hashlib.sha256(form["code_verifier"].encode()).digest())
        if known != (CLIENT, SECRET) or asked is None or asked["code_challenge"] != challenge:
            return None
        claims = {
            "iss": self.issuer, "aud": CLIENT, "sub": "subject-1", "nonce": asked["nonce"],
            "iat": int(time.time()), "exp": int(time.time()) + 300, **self.person,
        }  # fmt: skip
        return {
            "access_token": "opens-userinfo", "token_type": "Bearer",
            "id_token": self.sign(self.change(claims)),
        }  # fmt: skip

    def _userinfo(self, request: Request) -> Claims | None:
        if request.headers.get("Authorization") != "Bearer opens-userinfo":
            return None
        return {"sub": "subject-1", **self.at_userinfo}


def _packed(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
