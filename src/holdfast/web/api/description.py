"""What a route says about itself in the OpenAPI document: short words for what would else be nested mappings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from holdfast.web.api import problem
from holdfast.web.api.problem import MEDIA_TYPE, ProblemKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    import msgspec

SCHEMAS = "#/components/schemas/"

ALWAYS: tuple[ProblemKind, ...] = (
    problem.LOGIN_NEEDED,
    problem.FOREIGN_HOST,
    problem.FOREIGN_ORIGIN,
    problem.FORWARDED,
    problem.HEADERS_TOO_LARGE,
    problem.INTERNAL,
    problem.BUSY,
)
"""What any call may meet."""
WRITING: tuple[ProblemKind, ...] = (problem.TOO_SLOW, problem.BODY_TOO_LARGE, problem.NOT_JSON)
"""What calls with a body may meet besides."""


def component(shape: type[msgspec.Struct]) -> str:
    """The name of a shape in the document."""
    return shape.__name__.removesuffix("Shape")


def schema_of(shape: type[msgspec.Struct]) -> dict[str, Any]:
    """A reference to a shape."""
    return {"$ref": SCHEMAS + component(shape)}


def listing(shape: type[msgspec.Struct]) -> dict[str, Any]:
    """A bare array of a shape."""
    return {"type": "array", "items": schema_of(shape)}


def answers(
    schema: dict[str, Any], *kinds: ProblemKind, media: str = "application/json", text: str = "As asked"
) -> dict[int | str, dict[str, Any]]:
    """A route's answers: what it gives, and the problems it may meet besides those that any call may."""
    return {200: {"description": text, "content": {media: {"schema": schema}}}, **problems(kinds)}


def problems(kinds: Iterable[ProblemKind]) -> dict[int | str, dict[str, Any]]:
    """Problem answers by status; kinds that share one stand together."""
    titles: dict[int, list[str]] = {}
    for kind in kinds:
        titles.setdefault(kind.status, []).append(f"`{kind.code}`: {kind.title}")
    return {
        status: {
            "description": "; ".join(found),
            "content": {MEDIA_TYPE: {"schema": {"$ref": SCHEMAS + "Problem"}}},
        }
        for status, found in titles.items()
    }


def json_body(schema: dict[str, Any], text: str) -> dict[str, Any]:
    """A JSON request body that is no shape of ours."""
    content = {"application/json": {"schema": schema}}
    return {"requestBody": {"required": True, "description": text, "content": content}}


def body(shape: type[msgspec.Struct], *, is_required: bool = True) -> dict[str, Any]:
    """A JSON request body; one that is not required stands for a shape's defaults where it is absent."""
    content = {"application/json": {"schema": schema_of(shape)}}
    return {"requestBody": {"required": is_required, "content": content}}
