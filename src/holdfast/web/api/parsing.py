"""A request's body as the value that its route takes, or a problem in words."""

from collections.abc import Callable
from typing import TypeVar

import msgspec

from holdfast.web.api.problem import MALFORMED_JSON, WRONG_TYPE, Problem

T = TypeVar("T")


def parsed(data: bytes, decode: Callable[[bytes], T], advice: str) -> T:
    """Decode strictly; raises `Problem` with ``advice`` where the value is of another shape."""
    try:
        return decode(data)
    except msgspec.ValidationError as error:
        raise Problem(WRONG_TYPE, str(error), advice=advice) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Problem(MALFORMED_JSON, str(error) if data else "the body is empty") from None
