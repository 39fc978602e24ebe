"""Somebody who sends files of leads and deals."""

from tests.builders.api import Caller, Json


class Importer:
    """Sends files, with a partner Ann (`ann-1`) and a partner Bob to name in them."""

    def __init__(self, api: Caller) -> None:
        self.api = api
        self.ann = api.create(
            "/partners", name="Ann", email="Ann@partner.example", external_id="ann-1"
        )["id"]
        self.bob = api.create("/partners", name="Bob", email="bob@partner.example")["id"]

    def send(self, path: str, text: str | bytes, **query: str) -> tuple[int, Json]:
        body = text.encode() if isinstance(text, str) else text
        answer = self.api.call("POST", path, data=body, content_type="text/csv", query_string=query)
        found: Json = answer.get_json()
        return answer.status_code, found

    def done(self, path: str, text: str, **query: str) -> Json:
        status, found = self.send(path, text, **query)
        assert status == 200, found
        return found

    def flaws(self, path: str, text: str | bytes) -> list[tuple[int, str | None]]:
        status, found = self.send(path, text)
        assert (status, found["code"]) == (422, "import_refused"), found
        return [(error["line"], error["column"]) for error in found["errors"]]


def tally(found: Json) -> tuple[int, int, int]:
    return found["created"], found["updated"], found["unchanged"]
