"""Pages and their files in gzip, for those who take it."""

import gzip
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Flask, Response, request

from rewards_service.admin.layout import assets
from rewards_service.admin.pages import is_page
from rewards_service.kit import packing

_KINDS = ("text/", "application/javascript", "image/svg+xml")
_STATIC = "admin.static"


def init_app(app: Flask) -> None:
    """Before the guard: what it makes of an answer is packed, too."""
    app.after_request(_pack)


def _pack(answer: Response) -> Response:
    if answer.status_code == 200 and request.endpoint == _STATIC:
        _pack_file(answer)
    elif is_page(request.path) and packing.is_worthwhile(answer):
        packing.pack(answer)
    return answer


def _pack_file(answer: Response) -> None:
    """Files are read once, packed once, and kept: there are few, and they never change."""
    if not (answer.mimetype or "").startswith(_KINDS):
        return
    answer.vary.add("Accept-Encoding")
    if not request.accept_encodings["gzip"] or "Range" in request.headers:
        return
    path = Path(str(assets.static_folder)) / (request.view_args or {})["filename"]
    opened: Any = answer.response
    answer.direct_passthrough = False
    answer.set_data(_packed(path))
    opened.close()
    answer.headers["Content-Encoding"] = "gzip"
    tag, _ = answer.get_etag()
    if tag is not None:
        answer.set_etag(tag + packing.ENDING)


@lru_cache(maxsize=64)
def _packed(path: Path) -> bytes:
    return gzip.compress(path.read_bytes(), 9, mtime=0)
