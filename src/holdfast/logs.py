"""Logs that are read: first failure loud, repeats quiet, recovery announced, and no secret in any of them."""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.errors import LinkFault
    from holdfast.model import Reject

MASK = "***"
SHOWN_BYTES = 8
"""Bytes of a frame shown at debug level when frames are masked: enough to tell kinds apart, too few for content."""

BUGS_TOLD = 100
"""Different failures of one link's driver told at error level; more than that is one failure with many faces."""

_SECRET = re.compile(
    r"""(?ix)
    (["']? (?: password|passwd|passcode|pwd|token|secret|authorization|credentials?_hash ) ["']?
      \s* [:=] \s* (?:Bearer\s+)? )
    ("[^"]*" | '[^']*' | [^\s,;&)}\]]+)"""
)
_URL_LOGIN = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://[^\s:/@]+):[^\s@/]+@")


class Redactor(logging.Filter):
    """Removes registered secrets, and whatever looks like one, from every record that passes."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        super().__init__()
        self._secrets = {secret for secret in secrets if secret}

    def add(self, secret: str) -> None:
        """Never let this string through."""
        if secret:
            self._secrets.add(secret)

    def clean(self, text: str) -> str:
        """The text without secrets."""
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        return _URL_LOGIN.sub(rf"\1:{MASK}@", _SECRET.sub(rf"\1{MASK}", text))

    def filter(self, record: logging.LogRecord) -> bool:
        """Clean the record in place; nothing is dropped."""
        record.msg = self.clean(record.getMessage())
        record.args = ()
        if record.exc_info and not record.exc_text:
            record.exc_text = self.clean(logging.Formatter().formatException(record.exc_info))
        elif record.exc_text:
            record.exc_text = self.clean(record.exc_text)
        return True


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, text."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "text": record.getMessage(),
        }
        if record.exc_text:
            line["trace"] = record.exc_text
        return json.dumps(line, ensure_ascii=False)


def masked(frame: bytes, *, shown: int = SHOWN_BYTES) -> str:
    """A frame for a log line: its beginning and its length."""
    if len(frame) <= shown:
        return frame.hex(" ")
    return f"{frame[:shown].hex(' ')} … ({len(frame)} bytes)"


class LinkLog:
    """What one link says, in the fixed words that users and support know it by.

    At info, for each session that opens: setting up, connected, waiting for first data, first data after N s,
    N capabilities found. The first failure of an outage is a warning, its repeats are debug.
    """

    def __init__(self, parent: logging.Logger, endpoint: str) -> None:
        self._parent = parent
        self._endpoint = endpoint
        self._name = endpoint
        self._log = parent
        self._is_down = False
        self._was_announced = False
        self._bugs: set[str] = set()

    def name(self, name: str) -> None:
        """Speak under the name of the devices behind the link; its level can be set apart from the others'."""
        self._name = name
        self._log = self._parent.getChild(re.sub(r"[^A-Za-z0-9_-]+", "_", name))

    @property
    def logger(self) -> logging.Logger:
        """The logger of this link, for switching its level at run time."""
        return self._log

    def setting_up(self, *, is_repeat: bool) -> None:
        """A try begins; only the first of an outage is told at info."""
        self._was_announced = not is_repeat
        level = logging.DEBUG if is_repeat else logging.INFO
        self._log.log(level, "%s: setting up", self._name)

    def connected(self) -> None:
        """The session is open."""
        if not self._was_announced:
            self._log.info("%s: setting up", self._name)
        self._log.info("%s: connected", self._name)
        self._log.info("%s: waiting for first data", self._name)

    def first_data(self, after_s: float, capabilities: int) -> None:
        """The session is live."""
        self._log.info("%s: first data after %.2f s", self._name, after_s)
        self._log.info("%s: %d capabilities found", self._name, capabilities)
        self._is_down = False

    def failed(self, fault: LinkFault, wait_s: float, *, is_repeat: bool) -> None:
        """A try failed or the session was lost."""
        is_quiet = self._is_down and is_repeat
        self._is_down = True
        level = logging.DEBUG if is_quiet else logging.WARNING
        advice = f" {fault.advice}" if fault.advice else ""
        self._log.log(
            level,
            "%s: %s (%s); next try in %.1f s.%s",
            self._name,
            fault.text,
            fault.code.value,
            wait_s,
            advice,
        )

    @property
    def is_loud(self) -> bool:
        """Whether it says everything."""
        return self._log.isEnabledFor(logging.DEBUG)

    def rejected(self, why: Reject, raw: bytes) -> None:
        """Something was not believed; counted elsewhere, shown at debug."""
        if self.is_loud:
            self._log.debug("%s: rejected (%s) %s %s", self._name, why.code, why.text, masked(raw))

    def driver_failed(self, error: BaseException | None) -> None:
        """A driver broke its contract: a bug, told with its traceback the first time that it happens."""
        is_repeat = repr(error) in self._bugs
        self._bugs.add(repr(error))
        level = logging.DEBUG if is_repeat or len(self._bugs) > BUGS_TOLD else logging.ERROR
        self._log.log(level, "%s: the driver broke its contract", self._name, exc_info=error)
