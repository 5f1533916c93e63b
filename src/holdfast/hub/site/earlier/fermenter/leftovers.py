"""What is not taken over, and why: each key of the earlier files that is not read elsewhere gets a reason here."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from holdfast.hub.site.problems import Findings, Place

_STATE: Final = re.compile(
    r"(current_)?temp|(original_)?gravity|mode|status|control_initialized|tilt_assignment_time"
    r"|(heater|cooler)_(on|pending|baseline|last)\w*|(heating|cooling)_(active|error|kasa|blocked|safety)\w*"
    r"|last_\w+|\w+_(trigger_armed|limit_logged|notified|notified_at|logged)"
    r"|notifications?_(trigger|last_sent|comm_failure)|(sms|email|push)_error\w*|swapped_\w+|safety_\w+"
)
"""What the program wrote for itself between its settings: fact sheet section 9, 8."""
_STATE_REASON: Final = "what the earlier program noted for itself while it ran: Holdfast finds out by itself"
_SECRET: Final = re.compile(
    r"pass(word|wd|phrase)?$|pwd$|secret|token|key$|auth|topic|credential|login|(^|_)pin$"
)

_CYCLE: Final = (
    "not the control cycle here: a decision every 10 s is safer than one every few minutes, and a reading counts as "
    "fresh for 240 s whatever the cycle"
)
_NOTIFYING: Final = (
    r"warnings?_mode|enable_(?!heating$|cooling$)\w+|daily_report_time|loss_of_signal_timeout_minutes|\w*notif\w*"
    r"|(push|pushover|ntfy|smtp|sms|sending|send_to)_\w+|fermenter_email"
)
_REASONS: Final = (
    (r"update_interval|temp_logging_interval", _CYCLE),
    (
        r"kasa_(rate_limit|pending_timeout)_seconds|smartplug_status_interval",
        "a command counts when it has been read back, and plugs are asked all the time",
    ),
    (
        r"tilt_inactivity_timeout_minutes",
        "when a page hides a silent Tilt; here its values are stale after 240 s and shown as such",
    ),
    (
        r"tilt_logging_interval_minutes|tilt_reading_interval|log_temp_control_tilt|timestamp_format",
        "Holdfast has no such log files: it keeps a journal of its own",
    ),
    (
        r"external_\w*|\w*url\w*|brewers?_?friend\w*|brewfather\w*",
        "readings are not sent elsewhere; the address may hold a key and is not repeated",
    ),
    (_NOTIFYING, "a site file says nothing about notifications"),
    (
        r"brewer_name|street|city|state|zip\w*|country|email|mobile|phone",
        "about a person; a site has no room for it",
    ),
    (r"display_mode|chart_\w+|active_tab|theme|refresh\w*", "about the pages of the earlier program"),
    (
        r"manual_heating|manual_cooling|override_mode",
        "switching by hand is no setting; the controller owns its plugs",
    ),
)
_UNKNOWN: Final = "this key means nothing to the import"


def tell_leftovers(
    values: Mapping[str, Any], taken: Collection[str], findings: Findings, place: Place = ()
) -> None:
    """Tell why each other key is not taken over: settings one by one, state and empty ones together.

    Values are never repeated: some of them are secrets, whatever their key.
    """
    empty: list[str] = []
    state: list[str] = []
    for key, value in _others(values, taken):
        if value in (None, "", [], {}) and not _STATE.fullmatch(key):
            empty.append(key)
        elif _STATE.fullmatch(key):
            state.append(key)
        else:
            findings.note((*place, key), "not taken over", _reason(key))
    if empty:
        findings.note(place, f"not taken over: {_listed(empty)}", "nothing is entered there")
    if state:
        findings.note(place, f"not taken over: {_listed(state)}", _STATE_REASON)


def _others(values: Mapping[str, Any], taken: Collection[str]) -> Iterator[tuple[str, Any]]:
    return ((key, value) for key, value in values.items() if key not in taken)


def _reason(key: str) -> str:
    if _SECRET.search(key.lower()):
        name = re.sub(r"[^A-Z0-9]+", "_", key.upper(), flags=re.ASCII).strip("_")[:48]
        return (
            "a secret is never copied: site files name the place of one, such as "
            f"{{env: {name or 'NAME'}}} or {{file: PATH}}"
        )
    return next((reason for pattern, reason in _REASONS if re.fullmatch(pattern, key)), _UNKNOWN)


def _listed(keys: Collection[str]) -> str:
    """Keys as a message may repeat them: some file may have a whole text in the place of one."""
    return ", ".join(key if re.fullmatch(r"[\w-]{1,48}", key) else "…" for key in keys)
