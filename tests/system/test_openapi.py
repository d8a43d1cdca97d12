"""What the API says of itself: /api/openapi.json, /api/docs and docs/api.md."""

import base64
import hashlib
import re

import described
import jsonschema_rs
import pytest
import tables
from caller import Parties
from stack import ROOT, Stack

OPERATIONS = described.operations()


def test_the_document_is_what_is_printed() -> None:
    said = (ROOT / "docs/api.md").read_text()
    assert said == described.printed("api"), "meetlink check api > docs/api.md"


def test_it_is_served_as_it_is_printed(stack: Stack) -> None:
    anyone = stack.anyone()
    answer = anyone.get("/api/openapi.json")
    assert answer.status_code == 200
    assert answer.text == described.printed().removesuffix("\n")
    again = anyone.get("/api/openapi.json", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_the_page_shows_every_call_and_asks_nobody(stack: Stack) -> None:
    answer = stack.anyone().get("/api/docs")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'") and "unsafe" not in policy
    (style,) = re.findall(r"(?s)<style>(.*?)</style>", answer.text)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in policy.split("; ")
    assert " style=" not in answer.text
    assert not re.search(r"<(script|link|img|iframe)|src=|url\(|@import", answer.text)
    for name in OPERATIONS:
        assert f"<code>{name}</code>" in answer.text
    tag = answer.headers["ETag"]
    assert stack.anyone().get("/api/docs", headers={"If-None-Match": tag}).status_code == 304


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/api/config/providers"])
def test_what_the_service_says_of_itself_is_described(stack: Stack, path: str) -> None:
    answer = stack.admin().get(path)
    assert answer.status_code == 200
    described.hold(answer)


def test_no_command_is_refused_by_what_is_not_said() -> None:
    """Of some that share a path, or are refused by more than their status."""
    said = {
        "DELETE /requests/{id}/meeting/propose": {"no_proposal", "busy"},
        "POST /requests/{id}/meeting/propose": {"already_proposed", "too_late"},
        "POST /requests/{id}/meeting/proposal": {"no_proposal", "overlaps"},
        "POST /requests/{id}/cancel": {"too_late"},
    }
    for name, codes in said.items():
        responses = OPERATIONS[name.replace(" ", " /api", 1)]["responses"]
        content = responses["409"]["content"]["application/problem+json"]
        assert codes <= set(content["schema"]["properties"]["code"]["enum"]), name
    withdraw = OPERATIONS["DELETE /api/requests/{id}/meeting/propose"]["responses"]
    assert "429" in withdraw
    assert "idempotency_key_reused" not in str(withdraw)


def test_every_route_is_said_with_its_callers() -> None:
    said = {}
    for name, operation in OPERATIONS.items():
        roles = {role for way in operation["security"] for role in way["bearer"]}
        everybody = {*tables.ROLES, "no token"}
        said[re.sub(r"\{\w+\}", "{}", name)] = roles if operation["security"] else everybody
    assert said == tables.routes()


def test_every_name_and_reference_leads_somewhere() -> None:
    names = [operation["operationId"] for operation in OPERATIONS.values()]
    assert len(set(names)) == len(names)
    whole = described.printed()
    for place in set(re.findall(r'"\$ref":"#/components/(\w+)/(\w+)"', whole)):
        assert place[1] in described.document()["components"][place[0]]
    answers = [answer for o in OPERATIONS.values() for answer in o["responses"].values()]
    linked = {link["operationId"] for a in answers for link in a.get("links", {}).values()}
    assert {"post_requests_respond", "get_requests_meeting"} <= linked <= set(names)


def test_what_it_gives_as_examples_is_valid() -> None:
    components = {"components": described.document()["components"]}
    shown = 0
    for operation in OPERATIONS.values():
        body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        if "example" in body:
            jsonschema_rs.validate(body["schema"] | components, body["example"])
            shown += 1
    assert shown > 5


@pytest.mark.parametrize(
    "title",
    [
        "a",
        "\u00e9\u4e2d\U0001f600",
        "",
        " ",
        "\u200b\u3000",
        "a\nb",
        "\u202ea",
        "a\ufeff",
        "a\ufdd0",
    ]
    + ["a\U0001fffe", "a\x7f", "a\x85", "a\u2028b", "\u00ada", "x" * 200, "x" * 201],
)
def test_its_pattern_of_a_line_is_what_is_taken(parties: Parties, title: str) -> None:
    schemas = described.document()["components"]["schemas"]
    valid = jsonschema_rs.is_valid(schemas["request_draft"]["properties"]["title"], title)
    answer = parties.client.post("/api/requests", parties.draft(title=title))
    described.hold(answer)
    assert (answer.status_code == 201) == valid


@pytest.mark.parametrize("name", ["a", "a b", ".", "..", "...", ".a", "a.", "auth0|64f", "x\u00e9"])
def test_its_pattern_of_an_id_is_what_is_taken(parties: Parties, name: str) -> None:
    schemas = described.document()["components"]["schemas"]
    valid = jsonschema_rs.is_valid(schemas["person_draft"]["properties"]["id"], name)
    answer = parties.client.post(
        "/api/requests", parties.draft(lawyer=parties.person("lawyer", id=name))
    )
    described.hold(answer)
    assert (answer.status_code == 201) == valid
