"""Chargebee's Node client takes every webhook that the simulator sends (reference section 9, d)."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from rewards_service.simulator.play import play
from tests.simulator.site_calls import Caller

VERSION = "3.33.0"
INSTALL_SECONDS = 180
SCRIPT = """
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
const require = createRequire(process.argv[2] + "/");
const Chargebee = require("chargebee").default ?? require("chargebee");
const client = new Chargebee({ site: "acme-test", apiKey: "key" });
const handler = client.webhooks.createHandler({
  requestValidator: (headers) => {
    if (headers.authorization !== "Basic dTpw") throw new Error("credentials");
  },
});
const seen = [];
handler.on("unhandled_event", ({ event }) => seen.push(event.id));
for (const type of JSON.parse(readFileSync(process.argv[4]))) {
  handler.on(type, ({ event }) => seen.push(event.id));
}
for (const line of readFileSync(process.argv[3], "utf8").split("\\n").filter(Boolean)) {
  await handler.handle({ body: line, headers: { authorization: "Basic dTpw" } });
}
console.log(JSON.stringify(seen));
"""


def node_client() -> Path:
    """A folder with npm's `chargebee` in it, kept between runs."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    folder = cache / "rewards-service-tests" / f"chargebee-{VERSION}"
    if (folder / "node_modules" / "chargebee" / "package.json").is_file():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    npm = ["npm", "install", "--no-audit", "--no-fund", "--no-save", f"chargebee@{VERSION}"]
    subprocess.run(npm, cwd=folder, check=True, timeout=INSTALL_SECONDS, capture_output=True)
    return folder


@pytest.mark.skipif(
    shutil.which("npm") is None or shutil.which("node") is None, reason="npm is not installed"
)
class TestHandler:
    def test_it_takes_every_webhook_of_a_long_play(self, tmp_path: Path) -> None:
        caller = Caller(seed=11)
        caller.listen()
        for _ in play(caller.site, 300):
            pass
        sent = caller.webhooks()
        bodies, types, script = (tmp_path / name for name in ("bodies", "types", "take.mjs"))
        bodies.write_text("\n".join(json.dumps(event) for event in sent))
        types.write_text(json.dumps(sorted({event["event_type"] for event in sent})))
        script.write_text(SCRIPT)
        done = subprocess.run(
            ["node", str(script), str(node_client()), str(bodies), str(types)],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

        assert done.stderr == ""
        assert json.loads(done.stdout) == [event["id"] for event in sent]
        assert len(sent) >= 300
