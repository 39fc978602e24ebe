"""The verification libraries of Standard Webhooks take what we send."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from sqlalchemy import Engine
from standardwebhooks import Webhook, WebhookVerificationError

from rewards_service.kit.db import transaction
from rewards_service.outbound import service
from rewards_service.settings import Settings
from tests.outbound.office import Office
from tests.peers.misbehaving import Misbehaving, Seen, answer

VERSION = "1.1.1"
INSTALL_SECONDS = 180
SCRIPT = """
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
const require = createRequire(process.argv[2] + "/");
const { Webhook } = require("standardwebhooks");
const verdicts = JSON.parse(readFileSync(process.argv[3])).map(([secret, body, headers]) => {
  try {
    new Webhook(secret).verify(body, headers);
    return true;
  } catch (problem) {
    return problem.constructor.name;
  }
});
console.log(JSON.stringify(verdicts));
"""
NAMES = ("webhook-id", "webhook-timestamp", "webhook-signature")


@pytest.fixture
def rotated(engine: Engine, settings: Settings) -> tuple[list[str], list[Seen]]:
    """(secrets, requests): before a rotation, during its grace time, and after it."""
    office = Office(engine, settings)
    with Misbehaving(answer(200)) as server:
        _, old = office.endpoint(server.url)
        office.tell(1)
        office.work()
        with transaction(engine) as session:
            keys = settings.encryption_keys
            _, new = service.rotate_secret(session, keys, 1, 1, "test")
        office.tell(2)
        office.work()
        with transaction(engine) as session:
            _, newest = service.rotate_secret(session, keys, 1, 0, "test")
        office.tell(3)
        office.work()
    return [old, new, newest], server.seen


def headers_of(seen: Seen) -> dict[str, str]:
    return {name: seen.headers[name] for name in NAMES}


EXPECTED = [[True, False, False], [True, True, False], [False, False, True]]


class TestPython:
    def test_each_request_is_signed_with_every_live_secret(
        self, rotated: tuple[list[str], list[Seen]]
    ) -> None:
        secrets, requests = rotated

        assert [[verifies(secret, seen) for secret in secrets] for seen in requests] == EXPECTED

    def test_another_body_is_refused(self, rotated: tuple[list[str], list[Seen]]) -> None:
        secrets, (seen, *_) = rotated

        assert not verifies(secrets[0], seen._replace(body=seen.body.replace("1", "2")))


def verifies(secret: str, seen: Seen) -> bool:
    try:
        Webhook(secret).verify(seen.body, headers_of(seen))
    except WebhookVerificationError:
        return False
    return True


def node_library() -> Path:
    """A folder with npm's `standardwebhooks` in it, kept between runs."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    folder = cache / "rewards-service-tests" / f"standardwebhooks-{VERSION}"
    if (folder / "node_modules" / "standardwebhooks" / "package.json").is_file():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    package = f"standardwebhooks@{VERSION}"
    npm = ["npm", "install", "--no-audit", "--no-fund", "--no-save", package]
    subprocess.run(npm, cwd=folder, check=True, timeout=INSTALL_SECONDS, capture_output=True)
    return folder


@pytest.mark.skipif(
    shutil.which("npm") is None or shutil.which("node") is None, reason="npm is not installed"
)
class TestNode:
    def test_the_library_for_javascript_comes_to_the_same(
        self, rotated: tuple[list[str], list[Seen]], tmp_path: Path
    ) -> None:
        secrets, requests = rotated
        asked = [
            [secret, seen.body, headers_of(seen)] for seen in requests for secret in secrets
        ]  # fmt: skip
        cases, script = tmp_path / "cases.json", tmp_path / "verify.mjs"
        cases.write_text(json.dumps(asked))
        script.write_text(SCRIPT)
        done = subprocess.run(
            ["node", str(script), str(node_library()), str(cases)],
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip

        assert done.stderr == ""
        verdicts = [verdict or "WebhookVerificationError" for row in EXPECTED for verdict in row]
        assert json.loads(done.stdout) == verdicts
