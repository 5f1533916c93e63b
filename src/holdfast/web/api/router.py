"""The router that every resource uses: FastAPI's, kept from reading files while it serves."""

from collections.abc import Callable
from functools import partial
from typing import Any

from fastapi import APIRouter, Response


class Router(APIRouter):
    """Routes whose endpoints make their answers themselves."""

    def __init__(self, *, prefix: str = "", tag: str, is_documented: bool = True) -> None:
        super().__init__(
            prefix=prefix, tags=[tag], default_response_class=Response, include_in_schema=is_documented
        )

    def add_api_route(self, path: str, endpoint: Callable[..., Any], **more: Any) -> None:
        """Add a route, as the decorators do.

        At the first request to a plain function FastAPI (0.165) looks up where it is written, for its error
        messages: it opens and parses the source file, in the loop that polls the devices. A partial has no source.
        """
        more["name"] = more.get("name") or endpoint.__name__
        without_source = partial(endpoint)
        without_source.__doc__ = endpoint.__doc__
        super().add_api_route(path, without_source, **more)
