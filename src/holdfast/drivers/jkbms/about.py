"""Device info frames (type 3): register table (JK fact sheet section 8). Passcodes are not in it and cannot leak."""

from typing import Annotated, Final, NamedTuple

from holdfast.drivers.jkbms.fields import At, reader_of, table_of


class AboutRecord(NamedTuple):
    """What a BMS says of itself; texts are safe to show.

    Never read: the passcodes (62, 118), and the owner's free texts (102, 134), which nothing here needs.
    """

    vendor_id: Annotated[str, At(6, "16s", "the model")]
    hw_version: Annotated[str, At(22, "8s")]
    sw_version: Annotated[str, At(30, "8s")]
    uptime_s: Annotated[int, At(38, "I")]
    power_on_count: Annotated[int, At(42, "I")]
    device_name: Annotated[str, At(46, "16s")]
    manufactured: Annotated[str, At(78, "8s", "YYMMDD")]
    serial_number: Annotated[
        str, At(86, "16s", "11 characters on firmware before 19, where a passcode follows")
    ]
    uart1_protocol: Annotated[int, At(184, "B")]
    can_protocol: Annotated[int, At(185, "B")]
    uart2_protocol: Annotated[int, At(218, "B")]
    buzzer_trigger: Annotated[int, At(234, "B")]
    dry1_trigger: Annotated[int, At(235, "B")]
    dry2_trigger: Annotated[int, At(236, "B")]
    charge_request_6min: Annotated[int, At(266, "B", "in 0.1 h")]
    float_request_6min: Annotated[int, At(267, "B", "in 0.1 h")]
    rebulk_soc_pct: Annotated[int, At(278, "B")]


TABLE: Final = table_of(AboutRecord)

LONG_SERIAL_SINCE: Final = 19
"""The software version from which on the serial number may fill all of its 16 characters (section 12)."""
SHORT_SERIAL: Final = 11
"""What it is before; the bytes from 97 on are then a secret (section 8)."""

_read = reader_of(TABLE)
_SERIAL: Final = list(TABLE).index("serial_number")


def read_about(frame: bytes) -> AboutRecord:
    """Decode a device info frame. Never raises on content."""
    values = list(_read(frame))
    version = major_version(_text(values[AboutRecord._fields.index("sw_version")]))
    if version is None or version < LONG_SERIAL_SINCE:
        values[_SERIAL] = values[_SERIAL][:SHORT_SERIAL]
    return AboutRecord._make(_text(value) if isinstance(value, bytes) else value for value in values)


def major_version(text: str) -> int | None:
    """The number in front of the first dot of a version (``15.38``: 15); ``None`` where there is none."""
    head = text.partition(".")[0]
    return int(head) if head.isascii() and head.isdigit() else None


def _text(raw: bytes) -> str:
    """Up to the first zero byte; what is not UTF-8 (seen in the field, section 8) or not printable is replaced."""
    text = raw.partition(b"\0")[0].decode("utf-8", "replace")
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text).strip()
