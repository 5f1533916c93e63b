"""The OpenAPI document, and a page made from it that needs nothing from anywhere else."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.responses import Response

from holdfast.web.api.description import ALWAYS, SCHEMAS, WRITING, component, problems
from holdfast.web.api.encoding import encode
from holdfast.web.api.guard import OPEN_PATHS
from holdfast.web.api.problem import KINDS, WRONG_TYPE
from holdfast.web.api.shapes import SHAPES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import FastAPI

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "code,pre{font:14px/1.4 ui-monospace,monospace}h2{margin-top:2.5rem;border-bottom:1px solid #ccc}"
    "table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;padding:.2rem .8rem .2rem 0}"
    "article{margin:1.5rem 0}h3{margin:0;font-size:1rem}h3 b{display:inline-block;min-width:3.5rem}"
    ".d{color:#666}@media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}a{color:#8bf}.d{color:#999}}"
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()


BRINGING = ("post", "put", "patch")
"""Methods that bring a body."""


def document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document: FastAPI's list of routes with our schemas and problems in it."""
    found: dict[str, Any] = app.openapi()
    names = [component(shape) for shape in SHAPES]
    _, schemas = msgspec.json.schema_components(SHAPES, ref_template=SCHEMAS + "{name}")
    # Plain text is the simplest way to rename a component wherever it is named.
    text = encode(schemas).decode()
    for name in sorted({*names, *(key.removesuffix("Shape") for key in schemas)}):
        text = text.replace(f'"{name}Shape"', f'"{name}"').replace(
            f'{SCHEMAS}{name}Shape"', f'{SCHEMAS}{name}"'
        )
    components = found.setdefault("components", {})
    components["schemas"] = msgspec.json.decode(text)
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    for path, operations in found["paths"].items():
        for method, operation in operations.items():
            _complete(operation, path, method)
    return found


def _complete(operation: dict[str, Any], path: str, method: str) -> None:
    if path in OPEN_PATHS:
        return
    kinds = [*ALWAYS, *(WRITING if method in BRINGING else ())]
    if operation.get("parameters") or "requestBody" in operation:
        kinds.append(WRONG_TYPE)
        operation["responses"].pop("422", None)  # FastAPI's own idea of it
    for status, answer in problems(kinds).items():
        there = operation["responses"].setdefault(str(status), answer)
        if there is not answer and answer["description"] not in there["description"]:
            there["description"] += f"; {answer['description']}"
    operation["security"] = [{}, {"token": []}]  # the first one: a hub on loopback needs none


class PageAnswer(Response):
    """An HTML page with the one style sheet that its policy allows, and no script."""

    media_type = "text/html"

    def __init__(self, page: str) -> None:
        policy = (
            f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; frame-ancestors 'none'"
        )
        super().__init__(page, headers={"Content-Security-Policy": policy})


def page(spec: dict[str, Any]) -> str:
    """The document as a page to read."""
    title = f"{spec['info']['title']} {spec['info']['version']}"
    return "".join(
        (
            f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>',
            f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>',
            f"<h1>{escape(title)}</h1><p>{escape(spec['info']['description'])}</p>",
            '<p>For programs: <a href="/api/openapi.json">openapi.json</a>.</p><h2>Calls</h2>',
            *_calls(spec),
            "<h2>Shapes</h2>",
            *_shapes(spec["components"]["schemas"]),
            "<h2>Problems</h2><p>Every error is a problem document (RFC 9457); its code is one of these.</p><table>",
            *(
                f'<tr id="{kind.code}"><td>{kind.status}<td><code>{kind.code}</code><td>{escape(kind.title)}</tr>'
                for kind in KINDS
            ),
            "</table></body></html>",
        )
    )


def _calls(spec: dict[str, Any]) -> Iterator[str]:
    for path, operations in spec["paths"].items():
        for method, operation in operations.items():
            yield f"<article><h3><b>{method.upper()}</b> <code>{escape(path)}</code></h3>"
            yield f"<div>{escape(operation['summary'])}</div>"
            if "description" in operation:
                yield f'<div class="d">{escape(operation["description"])}</div>'
            yield "<table>"
            for parameter in operation.get("parameters", ()):
                yield _row(f"{parameter['in']} {parameter['name']}", parameter.get("description", ""))
            if "requestBody" in operation:
                (content,) = operation["requestBody"]["content"].values()
                yield _row("body", _type(content["schema"]), is_html=True)
            for status, answer in sorted(operation["responses"].items()):
                if status == "200":
                    (content,) = answer["content"].values()
                    yield _row("200", _type(content["schema"]), is_html=True)
                else:
                    yield _row(status, answer["description"])
            yield "</table></article>"


def _shapes(schemas: dict[str, Any]) -> Iterator[str]:
    for name, schema in sorted(schemas.items()):
        yield f'<article id="{escape(name)}"><h3>{escape(name)}</h3><div>{escape(schema.get("description", ""))}</div>'
        yield "<table>"
        for key, each in schema.get("properties", {}).items():
            yield _row(
                key, f"{_type(each)} <span class=d>{escape(each.get('description', ''))}</span>", is_html=True
            )
        if "enum" in schema:
            yield _row("one of", ", ".join(str(each) for each in schema["enum"]))
        yield "</table></article>"


def _row(name: str, text: str, *, is_html: bool = False) -> str:
    return f"<tr><td><code>{escape(name)}</code><td>{text if is_html else escape(text)}</tr>"


def _type(schema: dict[str, Any]) -> str:
    """A schema in a few words, with links to the shapes it names."""
    if "$ref" in schema:
        name = escape(schema["$ref"].removeprefix(SCHEMAS))
        return f'<a href="#{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_type(each) for each in schema["anyOf"])
    if "enum" in schema:
        return " or ".join(f"<code>{escape(str(each))}</code>" for each in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return escape(str(schema.get("format") or schema.get("type", "anything")))
