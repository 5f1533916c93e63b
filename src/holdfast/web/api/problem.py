"""What went wrong, as RFC 9457 problem documents: a closed list of kinds, one sentence, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

import msgspec
from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Scope

MEDIA_TYPE = "application/problem+json"


class ProblemKind(NamedTuple):
    """One kind of problem. ``code`` is for programs, ``title`` for people, and both never change with the case."""

    code: str
    status: int
    title: str

    @property
    def type_uri(self) -> str:
        """Where the kind is explained: an anchor on the hub's own documentation page."""
        return f"/api/docs#{self.code}"


BAD_REQUEST = ProblemKind("bad_request", 400, "Not a valid HTTP request")
MALFORMED_JSON = ProblemKind("malformed_json", 400, "The body is not JSON")
LOGIN_NEEDED = ProblemKind("login_needed", 401, "A token is needed")
FOREIGN_HOST = ProblemKind("foreign_host", 403, "Addressed by a foreign name")
FOREIGN_ORIGIN = ProblemKind("foreign_origin", 403, "Asked by another site's page")
FORWARDED = ProblemKind("forwarded", 403, "Came through a proxy")
PERSON_NEEDED = ProblemKind("person_needed", 403, "Only a person may do that")
SENDER_ONLY = ProblemKind("sender_only", 403, "This token is good for sending one target's readings")
NOT_FOUND = ProblemKind("not_found", 404, "There is nothing here")
UNKNOWN_TARGET = ProblemKind("unknown_target", 404, "No such device, adapter, capability or controller")
UNKNOWN_COMMAND = ProblemKind("unknown_command", 404, "No such command")
UNKNOWN_LINK = ProblemKind("unknown_link", 404, "No such link")
METHOD_NOT_ALLOWED = ProblemKind("method_not_allowed", 405, "Not that way")
NOT_PUSHED = ProblemKind("not_pushed", 409, "Its readings do not come by being posted")
NOT_POSSIBLE = ProblemKind("not_possible", 409, "The controller cannot do that")
FIXED_SITE = ProblemKind("fixed_site", 409, "This hub's site cannot be changed")
SITE_CHANGED = ProblemKind("site_changed", 409, "Somebody else has changed the site")
TOO_SLOW = ProblemKind("too_slow", 408, "The body did not come in time")
BODY_TOO_LARGE = ProblemKind("body_too_large", 413, "The body is too large")
NOT_JSON = ProblemKind("not_json", 415, "Writes need a JSON body")
WRONG_TYPE = ProblemKind("wrong_type", 422, "A value of the wrong type")
INVALID_SITE = ProblemKind("invalid_site", 422, "Not a proper site")
HEADERS_TOO_LARGE = ProblemKind("headers_too_large", 431, "The headers are too large")
INTERNAL = ProblemKind("internal", 500, "A fault of the hub")
NOT_READY = ProblemKind("not_ready", 503, "The hub does not run")
BUSY = ProblemKind("busy", 503, "Too many requests at once")
STORE_TROUBLE = ProblemKind("store_trouble", 503, "The store cannot do its work")

KINDS: tuple[ProblemKind, ...] = (
    BAD_REQUEST,
    MALFORMED_JSON,
    LOGIN_NEEDED,
    FOREIGN_HOST,
    FOREIGN_ORIGIN,
    FORWARDED,
    PERSON_NEEDED,
    SENDER_ONLY,
    NOT_FOUND,
    UNKNOWN_TARGET,
    UNKNOWN_COMMAND,
    UNKNOWN_LINK,
    METHOD_NOT_ALLOWED,
    NOT_PUSHED,
    NOT_POSSIBLE,
    FIXED_SITE,
    SITE_CHANGED,
    TOO_SLOW,
    BODY_TOO_LARGE,
    NOT_JSON,
    WRONG_TYPE,
    INVALID_SITE,
    HEADERS_TOO_LARGE,
    INTERNAL,
    NOT_READY,
    BUSY,
    STORE_TROUBLE,
)
"""Every kind there is; the documentation page lists them."""


class Problem(Exception):
    """A request that gets no answer but a problem document. ``advice`` says in one sentence what would help.

    ``more``: members that only this kind of problem has.
    """

    def __init__(
        self,
        kind: ProblemKind,
        detail: str,
        *,
        advice: str = "",
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.advice = advice
        self.headers = headers
        self.more = more or {}

    def document(self, instance: str) -> bytes:
        """The problem as JSON; ``instance`` is the path that was asked for."""
        members: dict[str, object] = {
            "type": self.kind.type_uri,
            "title": self.kind.title,
            "status": self.kind.status,
            "detail": self.detail,
            "instance": instance,
            "code": self.kind.code,
        }
        if self.advice:
            members["advice"] = self.advice
        return msgspec.json.encode({**members, **self.more})

    def answer(self, scope: Scope) -> Response:
        """The problem as the answer to a request. The query is left out: it may hold what nobody should log."""
        body = self.document(quote(scope["path"]))
        return Response(body, self.kind.status, headers=self.headers, media_type=MEDIA_TYPE)
