"""The whole description of the interface, from what operations and schemas say (pure)."""

from collections.abc import Callable, Sequence

from rewards_service.kit import patterns
from rewards_service.kit.money import currency_codes
from rewards_service.openapi import answers, examples, links, shapes
from rewards_service.openapi.operations import PREFIX, PREFIXES, Json, Operation, each
from rewards_service.openapi.texts import DESCRIPTION, PARAMETERS, SCOPES, TAGS
from rewards_service.openapi.told import WEBHOOKS

SECURITY = "key"


def finisher(countries: Sequence[str]) -> Callable[[Json], Json]:
    """What completes a gathered document. `countries`: the codes that rules may name."""
    choices = {
        "Currency": ("An ISO 4217 currency code.", sorted(currency_codes())),
        "Country": ("An ISO 3166 alpha-2 country code.", sorted(countries)),
    }

    def finish(document: Json) -> Json:
        _introduce(document)
        _share_choices(document, choices)
        for operation in each(document):
            _complete(operation)
        document["components"]["schemas"].pop("PaginationMetadata", None)
        answers.describe(document)
        shapes.split(document)
        links.connect(document)
        examples.add(document)
        return _ordered(document)

    return finish


def _introduce(document: Json) -> None:
    document["info"] |= {
        "title": "Rewards",
        "summary": "Partner rewards from Chargebee payments.",
        "description": DESCRIPTION,
        "license": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
    }
    document["servers"] = [{"url": "/", "description": "This service."}]
    scopes = "\n".join(f"- `{name}`: {text}" for name, text in SCOPES.items())
    document["components"]["securitySchemes"] = {
        SECURITY: {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "rk_...",
            "description": f"An API key. What it may do, its scopes say:\n\n{scopes}\n\n"
            "`write` does not include `read`.",
            "x-scopes": SCOPES,
        }
    }
    document["security"] = [{SECURITY: []}]
    document["webhooks"] = WEBHOOKS


def _share_choices(document: Json, choices: dict[str, tuple[str, list[str]]]) -> None:
    """Put long lists of codes in one place: `x-one-of` names the one a member takes from."""
    schemas = document["components"]["schemas"]
    _refer(document)
    for name, (text, codes) in choices.items():
        schemas[name] = {"type": "string", "description": text, "enum": codes}


def _refer(part: object) -> None:
    """Make references of `x-one-of`, and two alternatives of "one of these names, or null"."""
    if isinstance(part, list):
        for below in part:
            _refer(below)
    if not isinstance(part, dict):
        return
    name = part.pop("x-one-of", None)
    if name is not None:
        reference = {"$ref": f"#/components/schemas/{name}"}
        if "null" in part.pop("type"):
            part["anyOf"] = [reference, {"type": "null"}]
        else:
            part |= reference
    if None in part.get("enum", ()):  # as generators of clients understand it
        codes = {"type": "string", "enum": [code for code in part.pop("enum") if code is not None]}
        part["anyOf"] = [codes, {"type": "null"}]
        part.pop("type")
    for below in part.values():
        _refer(below)


def _complete(operation: Operation) -> None:
    spec = operation.spec
    spec["summary"] = spec["summary"].rstrip(".").replace("`", "")
    scope = operation.scope
    any_key = scope == answers.ANY_KEY
    needs = "Any key may do this." if any_key else f"Needs a key with the scope `{scope}`."
    if spec["x-partner-keys"]:
        needs += " Keys of partners see here what is theirs."
    spec["description"] = "\n\n".join(filter(None, [spec.get("description", "").strip(), needs]))
    spec["security"] = [{SECURITY: [] if any_key else [scope]}]
    spec["tags"] = [operation.path.removeprefix(f"{PREFIX}/").partition("/")[0]]
    for parameter in operation.shared:
        _name(parameter)
    for parameter in spec.get("parameters", ()):
        _move_description(parameter)


def _name(parameter: Json) -> None:
    prefix = PREFIXES.get(parameter["name"])
    if prefix is None:
        return
    parameter["schema"] = {"type": "string", "pattern": patterns.public_id(prefix)}
    parameter["description"] = f"An id of this kind: `{prefix}_...`."


def _move_description(parameter: Json) -> None:
    text = parameter["schema"].pop("description", PARAMETERS.get(parameter["name"]))
    if text:
        parameter["description"] = text


def _ordered(document: Json) -> Json:
    """Components by name, so that the document changes only where the interface does."""
    components = document["components"]
    used = {tag for operation in each(document) for tag in operation.spec["tags"]}
    document["tags"] = [
        {"name": name, "description": TAGS[name]} if name in TAGS else {"name": name}
        for name in sorted(used)
    ]
    document["components"] = {
        kind: dict(sorted(components[kind].items())) for kind in sorted(components)
    }
    return document
