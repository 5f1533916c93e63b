"""Whose frame it is (JK fact sheet section 4). A wrong battery is worse than a missing sample.

A live frame does not say who sent it. Pairing it with the settings frame that follows (rule 4 of the sheet) is left
out: when bytes are lost between the two, they may be of different batteries and nothing would show it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdfast.drivers.jkbms.calls import ADDRESSES, TYPES

if TYPE_CHECKING:
    from holdfast.drivers.jkbms.framer import Frame

OWN_ADDRESS_OFFSET: Final = 270
"""Where a settings frame names its sender, as an unsigned number of 4 bytes (section 4, rule 2)."""

LAST_POLLED: Final = 15
"""The master's own frames follow the poll to this address, which is mostly unanswered (section 4, rule 3)."""

_SETTINGS: Final = TYPES["settings"]
_LIVE: Final = TYPES["live"]


def address_by_reply(frame: Frame) -> int | None:
    """The address in the CRC-correct reply behind the frame, if that fits the frame and what it says of itself."""
    reply = frame.reply
    if reply is None or reply.kind != frame.kind:
        return None
    if frame.kind == _SETTINGS and own_address(frame) != reply.address:
        return None
    return reply.address


def address_on_bus(frame: Frame) -> int | None:
    """The sender's address, 0 to 15, by all that a listener may believe; ``None`` when nobody can tell.

    In this order: the reply; a settings frame's own address; the poll directly in front. What contradicts is dropped.
    """
    if frame.reply is not None:
        return address_by_reply(frame)
    poll = frame.poll if frame.poll is not None and frame.poll.kind == frame.kind else None
    if frame.kind == _SETTINGS:
        own = own_address(frame)
        is_denied = poll is not None and poll.address != own
        return own if own in ADDRESSES and not is_denied else None
    if poll is None or frame.is_reply_bad:
        return None
    if frame.kind == _LIVE and poll.address == LAST_POLLED:
        return None  # with its reply lost, it looks like the master's own
    return poll.address


def own_address(frame: Frame) -> int:
    """What a settings frame says its sender's address is; above 15 it is damaged, or of a battery without bus."""
    return int.from_bytes(frame.data[OWN_ADDRESS_OFFSET : OWN_ADDRESS_OFFSET + 4], "little")
