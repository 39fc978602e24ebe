"""The ceiling: a Flask route that only parses the JSON of the request."""

from flask import Flask, Response, request

app = Flask(__name__)


@app.post("/webhooks/chargebee/<endpoint_key>")
def hook(endpoint_key: str) -> Response:
    request.get_json()
    return Response('{"status": "accepted"}', content_type="application/json")


@app.get("/livez")
def livez() -> str:
    return "ok"
