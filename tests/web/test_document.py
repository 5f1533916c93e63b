"""The OpenAPI document is complete, and the page made from it asks nobody for anything."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from holdfast.web.api.problem import KINDS
from tests.web.house import house

if TYPE_CHECKING:
    from collections.abc import Iterator

CALLS = {
    ("GET", "/api/v1/devices"),
    ("GET", "/api/v1/devices/{device_id}"),
    ("POST", "/api/v1/devices/{device_id}/abandon"),
    ("POST", "/api/v1/devices/{device_id}/retry"),
    ("POST", "/api/v1/devices/{device_id}/adapters/{adapter_id}/activate"),
    ("POST", "/api/v1/log"),
    ("GET", "/api/v1/site"),
    ("PUT", "/api/v1/site"),
    ("PUT", "/api/v1/devices/{device_id}"),
    ("DELETE", "/api/v1/devices/{device_id}"),
    ("PUT", "/api/v1/devices/{device_id}/adapters"),
    ("PUT", "/api/v1/devices/{device_id}/adapters/{adapter_id}"),
    ("PATCH", "/api/v1/devices/{device_id}/adapters/{adapter_id}"),
    ("DELETE", "/api/v1/devices/{device_id}/adapters/{adapter_id}"),
    ("PUT", "/api/v1/devices/{device_id}/outputs/{key}"),
    ("DELETE", "/api/v1/devices/{device_id}/outputs/{key}"),
    ("GET", "/api/v1/arrays"),
    ("PUT", "/api/v1/arrays/{array_id}"),
    ("DELETE", "/api/v1/arrays/{array_id}"),
    ("PUT", "/api/v1/controllers/{controller_id}"),
    ("DELETE", "/api/v1/controllers/{controller_id}"),
    ("GET", "/api/v1/readings"),
    ("GET", "/api/v1/readings/{target}"),
    ("POST", "/api/v1/commands"),
    ("POST", "/api/v1/readings"),
    ("POST", "/api/v1/ingest/ispindel/{device_id}"),
    ("GET", "/api/v1/commands"),
    ("GET", "/api/v1/commands/{command_id}"),
    ("GET", "/api/v1/stream"),
    ("GET", "/api/v1/events"),
    ("GET", "/api/v1/alarms"),
    ("GET", "/api/v1/controllers"),
    ("GET", "/api/v1/controllers/{controller_id}"),
    ("POST", "/api/v1/controllers/{controller_id}/limits"),
    ("PUT", "/api/v1/controllers/{controller_id}/profile"),
    ("POST", "/api/v1/controllers/{controller_id}/profile"),
    ("POST", "/api/v1/controllers/{controller_id}/acknowledge"),
    ("POST", "/api/v1/controllers/{controller_id}/give-back"),
    ("GET", "/api/v1/links"),
    ("GET", "/api/v1/links/{link}"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
}


def references(node: Any) -> Iterator[str]:
    """Every ``$ref`` below a node."""
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for each in node.values():
            yield from references(each)
    elif isinstance(node, list):
        for each in node:
            yield from references(each)


async def test_every_call_is_described() -> None:
    """Each has a summary, a schema for what it gives, and the problems that it may meet."""
    async with house() as here:
        document = (await here.get("/api/openapi.json")).json()
        assert document["openapi"].startswith("3.")
        found = {
            (method.upper(), path) for path, operations in document["paths"].items() for method in operations
        }
        assert found == CALLS
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                assert operation["summary"]
                for status, answer in operation["responses"].items():
                    (media,) = answer["content"]
                    assert answer["content"][media]["schema"]
                    assert (media == "application/problem+json") == (status != "200"), (path, status)
                if path != "/healthz":
                    assert {"401", "403"} <= set(operation["responses"])
                for parameter in operation.get("parameters", ()):
                    assert parameter["schema"]
                    assert "{" + parameter["name"] + "}" in path or parameter["description"]
                if method in ("post", "put", "patch"):
                    assert {"400", "413", "415", "422"} <= set(operation["responses"]) or path.endswith(
                        ("/retry", "/abandon")
                    )
        body = document["paths"]["/api/v1/commands"]["post"]["requestBody"]
        assert body["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Command"}


async def test_every_reference_leads_somewhere() -> None:
    """No schema is missing, and none speaks of how we call it inside."""
    async with house() as here:
        answer = await here.get("/api/openapi.json")
        document = answer.json()
        schemas = document["components"]["schemas"]
        for reference in references(document):
            assert reference.removeprefix("#/components/schemas/") in schemas
        assert "Shape" not in answer.text
        assert "ValidationError" not in answer.text
        assert "partial" not in answer.text
        assert set(schemas["Command"]["required"]) == {"target", "value"}
        assert schemas["Reading"]["properties"]["quality"]


async def test_the_page_is_whole_in_itself() -> None:
    """No script, no picture, no address outside; its policy would not allow any; every problem has its anchor."""
    async with house() as here:
        answer = await here.get("/api/docs")
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")
        page = answer.text
        assert not re.search(r"<(script|img|link|iframe|object)\b|https?://|@import|url\(", page)
        assert set(re.findall(r'href="([^#"][^"]*)"', page)) == {"/api/openapi.json"}
        ids = set(re.findall(r'id="([^"]+)"', page))
        assert {kind.code for kind in KINDS} <= ids
        assert set(re.findall(r'href="#([^"]+)"', page)) <= ids
        for _, path in CALLS:
            assert path in page
