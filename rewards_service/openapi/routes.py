"""/api/docs: the description as a page to read and to try, from files of this service alone."""

from pathlib import Path

from flask import Blueprint, Response, abort, send_from_directory

PLACE = Path(__file__).resolve().parent
PAGE, SWAGGER = PLACE / "page", PLACE / "swagger"
# Name -> the folder it is in. Nothing else is handed out.
FILES = {
    "page.css": PAGE,
    "start.js": PAGE,
    "favicon-32x32.png": SWAGGER,
    "swagger-ui-bundle.js": SWAGGER,
    "swagger-ui.css": SWAGGER,
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

blueprint = Blueprint("docs", __name__, url_prefix="/api/docs")


@blueprint.get("")
def show_page() -> Response:
    """The page."""
    return _file(PAGE, "index.html")


@blueprint.get("/<name>")
def show_file(name: str) -> Response:
    """What the page is made of."""
    if name not in FILES:
        abort(404)
    return _file(FILES[name], name)


def _file(folder: Path, name: str) -> Response:
    answer = send_from_directory(folder, name)
    answer.headers["Content-Security-Policy"] = POLICY
    answer.headers["Cache-Control"] = "no-cache"  # kept by the browser, asked for with its ETag
    return answer
