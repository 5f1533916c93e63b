"""How a plug is found: the plain question in the legacy cipher, and the newer one (Kasa fact sheet section 9)."""

from __future__ import annotations

import json
from hashlib import md5
from typing import TYPE_CHECKING
from zlib import crc32

from holdfast.simulators.kasa.cipher import decipher, encipher
from holdfast.simulators.kasa.firmware import Encryption
from holdfast.simulators.kasa.iot import IotLanguage

if TYPE_CHECKING:
    from holdfast.simulators.kasa.access import Access

HEADER_SIZE = 16
HEADER_START = b"\x02\x00\x00\x01"
"""Version 2 of the discovery protocol, an answer; the rest of the header is length, flags, serial and sum."""


def answer_legacy(datagram: bytes, access: Access) -> bytes | None:
    """The state in the legacy cipher; ``None`` for anything but a JSON question.

    Real plugs obey over UDP, too. Ours does not, so that no command passes by its truth.
    """
    language = IotLanguage()
    try:
        request = json.loads(decipher(datagram))
    except (ValueError, RecursionError):
        return None
    if not isinstance(request, dict) or language.wishes(request):
        return None
    return encipher(json.dumps(language.answer(request, access)).encode())


def answer_newer(datagram: bytes, access: Access, host: str, port: int) -> bytes | None:
    """Who it is and what it speaks; ``port`` is that of its door. ``None`` for what is too short for a header."""
    if len(datagram) < HEADER_SIZE or datagram[0] != HEADER_START[0]:
        return None
    who, firmware = access.identity, access.firmware
    scheme = {
        "is_support_https": False,
        "encrypt_type": firmware.encryption.value,
        "http_port": port,
        "lv": int(firmware.login),
    }
    if firmware.encryption is Encryption.TPAP:
        del scheme["lv"]
    result = {
        "device_id": md5(who.device_id.encode()).hexdigest(),  # noqa: S324 - a name of the right shape
        "owner": md5(firmware.account.user.encode()).hexdigest().upper(),  # noqa: S324 - the protocol's
        "device_type": firmware.family.value,
        "device_model": who.model,
        "ip": host,
        "mac": who.mac.replace(":", "-"),
        "is_support_iot_cloud": True,
        "obd_src": "tplink",
        "factory_default": False,
        "mgt_encrypt_schm": scheme,
    }
    body = json.dumps({"result": result, "error_code": 0}).encode()
    head = HEADER_START + len(body).to_bytes(2, "big") + b"\x11\x00" + datagram[8:12]
    return head + crc32(head + bytes(4) + body).to_bytes(4, "big") + body
