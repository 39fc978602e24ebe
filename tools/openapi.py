"""Writes docs/openapi.json: the description of the interface, as it is served.

With --release also docs/openapi-released.json, which later changes are compared with.
"""

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rewards_service.app import create_app
from rewards_service.settings import load_settings

DOCS = Path(__file__).resolve().parent.parent / "docs"
CURRENT, RELEASED = DOCS / "openapi.json", DOCS / "openapi-released.json"


def served() -> dict[str, Any]:
    """The document of an application that no request but this one ever reaches."""
    with TemporaryDirectory() as folder:
        app = create_app(load_settings({"VAR_DIR": folder}))
        found: dict[str, Any] = app.test_client().get("/api/openapi.json").get_json()
        return found


def written(document: dict[str, Any]) -> str:
    """The text of a document as it is committed."""
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def main() -> int:
    text = written(served())
    for path in (CURRENT, RELEASED) if "--release" in sys.argv[1:] else (CURRENT,):
        path.write_text(text)
        print(f"{path.name}: {len(text):,} characters")
    return 0


if __name__ == "__main__":
    sys.exit(main())
