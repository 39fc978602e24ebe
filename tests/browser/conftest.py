"""A real Chromium in front of the real application.

The browser is that of the machine (CHROMIUM, or `chromium`, `google-chrome` on the path), or the
one that `playwright install chromium` brought; playwright itself comes from PyPI.
"""

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Engine, create_engine
from werkzeug.serving import BaseWSGIServer, make_server

from rewards_service.app import create_app
from rewards_service.settings import Settings, load_settings
from tests.admin.visitor import PASSWORD, make_user
from tests.conftest import ENCRYPTION_KEY, SECRET_KEY

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
AXE = Path(__file__).with_name("axe") / "axe.min.js"
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# Only what is wrong leaves the browser: all that axe has to say of a page takes as long to carry
# over as to find out.
_LOOK = """async (tags) => {
  const found = await axe.run(document, {runOnly: tags, resultTypes: ['violations']});
  return found.violations.flatMap((rule) => rule.nodes.map(
    (node) => `${rule.id}: ${JSON.stringify(node.target)} ${node.failureSummary}`));
}"""
# What a page would hide from the eye: its violations of the policy, in the console as well.
_LISTEN = """document.addEventListener('securitypolicyviolation', (event) =>
  console.error(`CSP: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`))"""


@dataclass
class Site:
    """The application on a port of this machine, and what is in its database."""

    address: str
    settings: Settings
    engine: Engine
    owner: str


@dataclass
class Tab:
    """A page of the browser, with everything it complained of."""

    page: "Page"
    site: Site
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str) -> int:
        """Go to an address of the site; the status of the answer."""
        answer = self.page.goto(self.site.address + path)
        assert answer is not None
        return answer.status

    def sign_in(self) -> None:
        self.open("/login")
        self.page.get_by_label("E-mail address").fill(self.site.owner)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url(self.site.address + "/")

    def violations(self) -> list[str]:
        """What axe finds wrong with the page as it is now."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE.read_text())
        found: list[str] = self.page.evaluate(_LOOK, STANDARDS)
        return found


@pytest.fixture(scope="session")
def chromium() -> "Iterator[Browser]":
    """The browser of this test process; a named skip where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    with playwright.sync_playwright() as running:
        try:
            # As root, as in many containers, Chromium runs without its own sandbox only.
            flags = ["--no-sandbox"] if os.geteuid() == 0 else []
            browser = running.chromium.launch(executable_path=found, args=flags)
        except playwright.Error as error:
            pytest.skip(f"Chromium cannot be started: {str(error).splitlines()[0]}")
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def site(
    sqlite_template: Path, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """The service with an owner, on a database of this module alone."""
    with serving(tmp_path_factory.mktemp("site"), sqlite_template, redis_url) as served:
        yield served


@contextmanager
def serving(
    folder: Path, template: Path, redis_url: str, owned: bool = True, **more: str
) -> Iterator[Site]:
    """The service on an empty database in a folder, with an owner or without. more: settings."""
    shutil.copyfile(template, folder / "rewards.db")
    settings = load_settings(
        {
            "DATABASE_URL": f"sqlite:///{folder / 'rewards.db'}", "REDIS_URL": redis_url,
            "VAR_DIR": str(folder), "SECRET_KEY": SECRET_KEY, "ENCRYPTION_KEYS": ENCRYPTION_KEY,
            "ARGON2_MEMORY_KIB": "64", **more,
        }
    )  # fmt: skip
    server, settings = _serve(settings)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    engine = create_engine(settings.database_url)
    owner = make_user(engine, settings) if owned else ""
    yield Site(settings.base_url, settings, engine, owner)
    server.shutdown()
    thread.join()
    server.server_close()
    engine.dispose()


def _serve(settings: Settings) -> tuple[BaseWSGIServer, Settings]:
    """A server on a free port, whose address the application knows: passkeys are bound to it."""
    server = make_server("127.0.0.1", 0, lambda *_: [], threaded=True)
    settings = replace(settings, base_url=f"http://localhost:{server.server_port}")
    server.app = create_app(settings).wsgi_app
    return server, settings


@pytest.fixture
def tab(chromium: "Browser", site: Site) -> Iterator[Tab]:
    """A window on the site of this module."""
    with window(chromium, site) as opened:
        yield opened


@contextmanager
def window(chromium: "Browser", site: Site) -> Iterator[Tab]:
    """A fresh browser window that remembers nothing."""
    context = chromium.new_context(locale="en-GB", reduced_motion="reduce")
    context.set_default_timeout(60_000)
    opened = Tab(context.new_page(), site)
    opened.page.add_init_script(_LISTEN)
    opened.page.on("pageerror", lambda error: opened.complaints.append(str(error)))
    opened.page.on(
        "console",
        lambda line: opened.complaints.append(line.text)
        if line.type in ("error", "warning") else None,
    )  # fmt: skip
    yield opened
    context.close()
