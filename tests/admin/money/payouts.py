"""How the tests make payouts by the pages, and read them."""

import re
from io import BytesIO
from typing import Any

from rewards_service.kit.clock import utc_now
from tests.admin.visitor import Visitor
from tests.builders.world import World

PDF = b"%PDF-1.7 an invoice"
TODAY = utc_now().date().isoformat()
ENGLISH = {"Accept-Language": "en"}


def plain(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def confirmed(page: str) -> str:
    found = re.search(r'name="confirmed" value="([^"]+)"', page)
    assert found is not None
    return found.group(1)


def make(finance: Visitor, **wish: str) -> str:
    wish = {"currency": "USD", "cut_off": TODAY, **wish}
    preview = finance.post("/payouts/make", **wish)
    done = finance.post("/payouts/make", **wish, confirmed=confirmed(preview.text))
    assert done.status_code == 303, done.text
    return str(done.headers["Location"])


def upload(number: str, content: bytes) -> dict[str, Any]:
    return {"invoice-invoice_number": number, "invoice-document": (BytesIO(content), "bill.exe")}


def only(world: World, model: Any) -> Any:
    (row,) = world.all(model)
    return row
