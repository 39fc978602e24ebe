"""Answers in gzip, for those who take it, where it saves something."""

import gzip

from flask import Response, request

LEAST_BYTES = 1_000  # what is smaller fits into one packet either way
LEVEL = 5
ENDING = "-gzip"  # of an entity tag: the same thing in other bytes is another representation
_KINDS = ("application/json", "application/problem+json", "image/svg+xml")


def is_worthwhile(answer: Response) -> bool:
    """Whether an answer is of a kind and size to be packed; says to caches that it depends.

    Streams are left as they are: a line of CSV is sent when it is there.
    """
    kind = answer.mimetype or ""
    is_text = kind in _KINDS or kind.startswith("text/")
    if not is_text or answer.is_streamed or "Content-Encoding" in answer.headers:
        return False
    if (answer.content_length or 0) < LEAST_BYTES:
        return False
    answer.vary.add("Accept-Encoding")
    return True


def pack(answer: Response) -> None:
    """Put an answer into gzip if its reader takes that."""
    if not request.accept_encodings["gzip"]:
        return
    answer.set_data(gzip.compress(answer.get_data(), LEVEL, mtime=0))
    answer.headers["Content-Encoding"] = "gzip"
    tag, is_weak = answer.get_etag()
    if tag is not None:
        answer.set_etag(tag + ENDING, bool(is_weak))
