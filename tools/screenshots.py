"""Takes the pictures of the documentation: a demo of its own, an owner, Chromium.

Pages that do not exist (yet) are passed over and said. What was taken is put into the documents,
between the marks `<!-- pictures -->` and `<!-- /pictures -->`.
"""

import json
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.request
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import create_engine

from rewards_service.accounts import users
from rewards_service.accounts.service import create_key
from rewards_service.kit.db import transaction
from rewards_service.settings import Settings, load_settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs/pictures"
EMAIL, PASSWORD = "olga@example.com", "correct horse battery staple"
SEED, PATIENCE_SECONDS, LARGEST = "7", 240, 200_000
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
LOOKS = {"light": (1440, 900, "light"), "dark": (1440, 900, "dark"), "phone": (390, 844, "light")}


class Shot(NamedTuple):
    """A picture: its file, what it shows, and where. `first`: the first row of that list."""

    file: str
    title: str
    path: str
    first: bool = False
    look: str = "light"
    then: tuple[str, ...] = ()  # links to follow from there, by their words


SHOTS = (
    Shot("overview", "Overview: what waits for somebody", "/"),
    Shot("rewards", "Rewards: the queue of the review", "/rewards?status=pending"),
    Shot("reward", "A reward, explained to the cent", "/rewards?status=approved", first=True),
    Shot("payouts", "Payouts", "/payouts"),
    Shot("rule", "A rule, and what it would have earned", "/programs", True,
         then=("% of", "Edit")),
    Shot("chargebee", "Integrations: Chargebee", "/integrations", first=True),
    Shot("event", "An event, from its arrival to its reward",
         "/events?event_type=payment_succeeded", first=True),
    Shot("reports", "Reports: a picture and its table", "/reports/rewards?group_by=partner"),
    Shot("overview-dark", "The overview in the dark", "/", look="dark"),
    Shot("overview-phone", "The overview on a phone", "/", look="phone"),
)  # fmt: skip
# Document -> how its pictures are reached from it, and which it shows.
DOCUMENTS = {
    "docs/admin.md": ("pictures/", [shot.file for shot in SHOTS]),
    "README.md": ("docs/pictures/", [shot.file for shot in SHOTS if shot.look == "light"]),
}


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    with TemporaryDirectory() as folder, _demo(Path(folder)) as settings:
        _decide(settings)
        with _chromium() as browser:
            taken = [shot.file for shot in SHOTS if _take(browser, settings, shot)]
    for name, (place, wanted) in DOCUMENTS.items():
        _show(ROOT / name, place, [file for file in wanted if file in taken])
    print(f"{len(taken)} of {len(SHOTS)} pictures are in {PICTURES.relative_to(ROOT)}.")


@contextmanager
def _demo(folder: Path) -> Iterator[Settings]:
    """`rewards demo` with its month played and worked off, and an owner; its settings."""
    port = _free_port()
    environ = {"VAR_DIR": str(folder), "PORT": str(port), "BASE_URL": f"http://localhost:{port}"}
    command = [sys.executable, "-m", "rewards_service", "demo", "--simulator-port", "0"]
    surroundings = {**os.environ, "DATABASE_URL": "", "REDIS_URL": "", **environ}
    log = (folder / "demo.log").open("w")
    process = subprocess.Popen(  # noqa: S603 - our own
        [*command, "--seed", SEED], env=surroundings, stdout=subprocess.PIPE, stderr=log, text=True
    )
    try:
        if not _month_is_played(process):
            raise SystemExit(f"The demo ended:\n{(folder / 'demo.log').read_text()[-3_000:]}")
        settings = load_settings(environ)
        engine = create_engine(settings.database_url)
        with transaction(engine) as session:
            users.create_user(session, settings, EMAIL, "owner", PASSWORD)
        engine.dispose()
        yield settings
    finally:
        process.terminate()
        process.wait(30)
        log.close()


def _month_is_played(process: "subprocess.Popen[str]") -> bool:
    """Wait until the sums of the month are told; False when it ended before, or took too long."""
    over = threading.Timer(PATIENCE_SECONDS, process.kill)
    over.start()
    for line in process.stdout or ():
        if line.startswith("A month of business was played"):
            over.cancel()
            threading.Thread(target=(process.stdout or sys.stdin).read, daemon=True).start()
            return True
    return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _decide(settings: Settings) -> None:
    """What people would have done by now: most rewards approved, a few not, payouts made."""
    engine = create_engine(settings.database_url)
    with transaction(engine) as session:
        _, key = create_key(session, "pictures", ["admin"], secret_key=settings.secret_key)
    engine.dispose()

    def ask(method: str, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(  # noqa: S310 - our own
            f"{settings.base_url}/api/v1{path}", json.dumps(body).encode() if body else None,
            {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}, method=method,
        )  # fmt: skip
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return json.load(answer)

    rows = ask("GET", "/rewards?status=pending&limit=200&sort=id")["data"]
    ids = [row["id"] for row in rows]
    approved, rest = ids[: len(ids) // 2], ids[len(ids) // 2 :]
    for action, some, reason in (
        ("approve", approved, None), ("hold", rest[:2], "Asked the partner about this customer."),
        ("decline", rest[2:3], "Sold by our own team."),
    ):  # fmt: skip
        if some:
            order = {"action": action, "ids": some, **({"reason": reason} if reason else {})}
            ask("POST", "/rewards/bulk", order)
    today = datetime.now(UTC).date().isoformat()
    currency = rows[0]["currency"] if rows else "USD"
    ask("POST", "/payouts", {"currency": currency, "cut_off": today})


@contextmanager
def _chromium() -> "Iterator[Browser]":
    from playwright.sync_api import sync_playwright

    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    with sync_playwright() as running:
        # As root, as in many containers, Chromium runs without its own sandbox only.
        flags = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = running.chromium.launch(executable_path=found, args=flags)
        yield browser
        browser.close()


def _take(browser: "Browser", settings: Settings, shot: Shot) -> bool:
    wide, high, scheme = LOOKS[shot.look]
    context = browser.new_context(
        viewport={"width": wide, "height": high}, color_scheme=scheme,  # type: ignore[arg-type]
        locale="en-GB", timezone_id="Europe/Berlin", reduced_motion="reduce",
    )  # fmt: skip
    page = context.new_page()
    try:
        _sign_in(page, settings)
        if not _go(page, settings, shot):
            print(f"{shot.file}: there is no {shot.path} yet", file=sys.stderr)
            return False
        picture = smaller(page.screenshot(caret="hide", animations="disabled"))
    finally:
        context.close()
    if len(picture) > LARGEST:
        raise SystemExit(f"{shot.file}.png has {len(picture)} bytes; at most {LARGEST} are kept.")
    (PICTURES / f"{shot.file}.png").write_bytes(picture)
    print(f"{shot.file}.png: {len(picture) // 1000} kB")
    return True


def _sign_in(page: "Page", settings: Settings) -> None:
    page.goto(f"{settings.base_url}/login")
    page.get_by_label("E-mail address").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{settings.base_url}/")


def _go(page: "Page", settings: Settings, shot: Shot) -> bool:
    answer = page.goto(settings.base_url + shot.path)
    if answer is None or answer.status != 200:
        return False
    if shot.first:
        link = page.locator("main [data-row] a, main .card a[href*=_]").first
        if not link.count():
            return False
        page.goto(settings.base_url + str(link.get_attribute("href")))
    for words in shot.then:
        link = page.locator("main a", has_text=words).first
        if not link.count():
            return False
        page.goto(settings.base_url + str(link.get_attribute("href")))
    page.wait_for_load_state("networkidle")
    return page.locator("main h1").count() == 1


def smaller(picture: bytes) -> bytes:
    """The same PNG, packed as tightly as zlib can, without what is said beside the picture."""
    head, place, pixels, kept = picture[:8], 8, b"", b""
    while place < len(picture):
        (length,) = struct.unpack(">I", picture[place : place + 4])
        kind, content = picture[place + 4 : place + 8], picture[place + 8 : place + 8 + length]
        if kind == b"IDAT":
            pixels += content
        elif kind in (b"IHDR", b"PLTE", b"tRNS"):
            kept += _chunk(kind, content)
        place += length + 12
    packed = zlib.compress(zlib.decompress(pixels), 9)
    return head + kept + _chunk(b"IDAT", packed) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)


def _show(document: Path, place: str, files: Sequence[str]) -> None:
    titles = {shot.file: shot.title for shot in SHOTS}
    lines = "\n\n".join(f"![{titles[file]}]({place}{file}.png)" for file in files)
    marks = "<!-- pictures -->", "<!-- /pictures -->"
    text = re.sub(
        f"{marks[0]}.*{marks[1]}", lambda _: f"{marks[0]}\n{lines}\n{marks[1]}",
        document.read_text(), flags=re.DOTALL,
    )  # fmt: skip
    document.write_text(text)


if __name__ == "__main__":
    began = time.monotonic()
    main()
    print(f"That took {time.monotonic() - began:.0f} s.")
