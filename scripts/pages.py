"""Write the parts of the pages that are made from the code: between `<!-- made: NAME -->` and `<!-- end: NAME -->`.

Without arguments the pages are written anew; with `--check` nothing is written, and the exit code says whether
something would be. `tests/docs` keeps them current.
"""

from __future__ import annotations

import asyncio
import re
import sys
import textwrap
from dataclasses import fields, is_dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "tests" / "docs" / "lamp.py"

LINK_TIMINGS: tuple[tuple[str, str], ...] = (
    ("dialling, at most", "holdfast.link.driver.LinkTiming.dial_s"),
    ("login, at the first try of an outage, at most", "holdfast.link.driver.LinkTiming.login_first_s"),
    ("login, at later tries, at most", "holdfast.link.driver.LinkTiming.login_s"),
    ("what opening may take beyond both before it is cut off", "holdfast.link.supervisor.OPEN_MARGIN_S"),
    ("first wait of an outage, from", "holdfast.link.backoff.FIRST_LOW_S"),
    ("first wait of an outage, to", "holdfast.link.backoff.FIRST_HIGH_S"),
    ("cap of the second wait", "holdfast.link.backoff.BASE_S"),
    ("the cap grows with each try by this factor", "holdfast.link.backoff.FACTOR"),
    ("largest cap while the outage is young", "holdfast.link.backoff.SHORT_CAP_S"),
    ("an outage is young for", "holdfast.link.backoff.SHORT_FOR_S"),
    ("largest cap afterwards", "holdfast.link.backoff.LONG_CAP_S"),
    ("largest cap while a standing order is not verified", "holdfast.link.backoff.ORDER_CAP_S"),
    ("wait after a first refusal", "holdfast.link.backoff.REFUSED_FIRST_S"),
    ("longest wait after a refusal", "holdfast.link.backoff.REFUSED_CAP_S"),
    ("a hint starts a dial at most once in", "holdfast.link.supervisor.HINT_SPACING_S"),
    ("a session is healthy after", "holdfast.link.link.HEALTHY_S"),
    ("or after so many believed answers (a count)", "holdfast.link.link.HEALTHY_POLLS"),
    ("dials at once to one host (a count)", "holdfast.link.budget.DIALS_PER_HOST"),
    ("dials at once in one process (a count)", "holdfast.link.budget.DIALS_PER_PROCESS"),
    ("taking leave of a device, at most", "holdfast.link.supervisor.STOP_S"),
    ("late after so many intervals (a count)", "holdfast.link.evidence.LATE_INTERVALS"),
    ("late after this share of the deadline, where no interval is known", "holdfast.link.evidence.LATE_SHARE"),
    ("stale after so many silence deadlines, for sources that push (a count)",
     "holdfast.link.evidence.ALIVE_DEADLINE"),
    ("resolution of all deadlines", "holdfast.link.wheel.TICK_S"),
    ("an extreme value is believed after so many repeats (a count)", "holdfast.link.intake.REPEATS"),
    ("which must come within so many intervals (a count)", "holdfast.link.intake.INTERVALS"),
    ("junk without a valid frame that ends a session (bytes)", "holdfast.link.driver.LinkTiming.junk_limit"),
    ("commands that come within this time may share a frame", "holdfast.link.desk.GATHER_S"),
    ("waiting for the answer to a step, until answers have been seen", "holdfast.link.driver.LinkTiming.ack_s"),
    ("second confirming read after a step", "holdfast.link.driver.LinkTiming.reread_s"),
    ("the shown value is unknown when a command that was sent is still open after",
     "holdfast.link.wishes.OpenCommand.may_be_doubted_after_s"),
    ("shortest default timeout of a command", "holdfast.link.desk.LEAST_TIMEOUT_S"),
    ("longest timeout of a command", "holdfast.link.desk.LONGEST_TIMEOUT_S"),
    ("pauses before the sends of a standing order; the last one repeats", "holdfast.link.orders.ORDER_PAUSES_S"),
    ("stopping a hub waits for fail-safe actuators, at most", "holdfast.hub.hub.FAIL_SAFE_STOP_S"),
    ("looking for a suspend of the machine, every", "holdfast.link.core.SUSPEND_EVERY_S"),
)  # fmt: skip
"""What the table says, and the constant that holds it."""

IPCOM_TIMINGS: tuple[tuple[str, str], ...] = (
    ("poll, every", "holdfast.drivers.ipcom.options.POLL_S"),
    ("an answer counts as missed after", "holdfast.drivers.ipcom.options.REPLY_S"),
    ("silence deadline of a session", "holdfast.drivers.ipcom.options.SILENCE_S"),
    ("deadline of a reading", "holdfast.drivers.ipcom.capabilities.READING_DEADLINE_S"),
    ("keep-alive, every", "holdfast.drivers.ipcom.options.KEEP_ALIVE_S"),
    ("least time between two writes", "holdfast.drivers.ipcom.driver.SPACING_S"),
    ("a write is built on a snapshot no older than", "holdfast.drivers.ipcom.interlock.FRESH_S"),
    ("pauses before the attempts of a command", "holdfast.drivers.ipcom.capabilities.VERIFY_PAUSES_S"),
    ("the last attempt may take to show", "holdfast.drivers.ipcom.capabilities.VERIFY_WAIT_S"),
    ("an OFF of the interlock that does not show is repeated after", "holdfast.drivers.ipcom.interlock.REPEAT_S"),
)  # fmt: skip
"""The same for the page of the IPCom driver."""

JKBMS_TIMINGS: tuple[tuple[str, str], ...] = (
    ("values of a battery are stale after", "holdfast.drivers.jkbms.options.STALE_AFTER_S"),
    ("and no less than", "holdfast.drivers.jkbms.options.LEAST_STALE_S"),
    ("first battery on a path that never delivered, within", "holdfast.drivers.jkbms.options.DISCOVERY_GRACE_S"),
    ("first battery after a reconnect, within a third of the deadline, at least",
     "holdfast.drivers.jkbms.driver.AGAIN_LEAST_S"),
    ("and at most", "holdfast.drivers.jkbms.driver.AGAIN_MOST_S"),
    ("silence that proves a bus without master", "holdfast.drivers.jkbms.codec.PROOF_S"),
    ("active polling asks each battery, every", "holdfast.drivers.jkbms.options.POLL_EVERY_S"),
    ("and for its settings, every", "holdfast.drivers.jkbms.driver.SETTINGS_EVERY_S"),
    ("an answer counts as missed after", "holdfast.drivers.jkbms.driver.REPLY_S"),
    ("pause between two questions", "holdfast.drivers.jkbms.driver.ASK_GAP_S"),
    ("connecting over Bluetooth, at most", "holdfast.drivers.jkbms.driver.BLE_DIAL_S"),
    ("a pack voltage that stands still is told of after", "holdfast.drivers.jkbms.capabilities.FROZEN_S"),
)  # fmt: skip
"""The same for the page of the JK driver."""

Value = float | tuple[float, ...]


def constant(name: str) -> Value:
    """The value of a constant, of a class's attribute, or of a dataclass field's default."""
    head, _, last = name.rpartition(".")
    if head.rpartition(".")[2][0].isupper():
        module, _, owner = head.rpartition(".")
        kind = getattr(import_module(module), owner)
        if is_dataclass(kind):
            return {each.name: each.default for each in fields(kind)}[last]
        return getattr(kind, last)
    return getattr(import_module(head), last)


def shown(value: Value) -> str:
    """A number or several as the tables have them."""
    return ", ".join(f"{each:g}" for each in value) if isinstance(value, tuple) else f"{value:g}"


def timings(rows: Iterable[tuple[str, str]]) -> str:
    """A table of constants; seconds unless a row says otherwise."""
    lines = ["| what | value | constant |", "| --- | --- | --- |"]
    for text, name in rows:
        value = shown(constant(name))
        is_plain = "(" in text or "this factor" in text or "this share" in text
        lines.append(
            f"| {text} | {value if is_plain else value + ' s'} | `{name.removeprefix('holdfast.')}` |"
        )
    return "\n".join(lines)


def diagram() -> str:
    """The states of a link as a Mermaid diagram."""
    from holdfast.link.machine import diagram as states

    return f"```mermaid\n{states()}```"


# --- what batteries report ------------------------------------------------------------------------------------------


def battery_values() -> str:
    """The keys of one battery."""
    from holdfast.drivers.jkbms import capabilities as of
    from holdfast.drivers.jkbms.calls import LIVE
    from holdfast.drivers.jkbms.live import read_live_32s

    frame = bytearray(300)
    frame[6] = frame[70] = frame[164] = 1  # a cell with its bit in the mask, and a sensor
    learned = of.learn(_battery(), "0", LIVE, read_live_32s(bytes(frame)))
    shapes = {each.key.removeprefix("0/"): each.sanity for each in learned}
    lines = ["| key | what | unit | believed at once |", "| --- | --- | --- | --- |"]
    lines += [
        _battery_row(f"`{each.key}`", each.name, each.unit, each.sanity)
        for each in (*of.LINES, *of.LEARNED_LINES)
    ]
    sensors = ", ".join(f"`{each}`" for each in of.TEMPERATURES.values())
    lines.append(
        _battery_row("`cells/N/voltage`", "each cell in use, from 1", "V", shapes["cells/1/voltage"])
    )
    lines.append(
        _battery_row(
            "`temperatures/NAME`", f"each sensor that is fitted: {sensors}", "°C", shapes["temperatures/2"]
        )
    )
    lines += [
        _battery_row(f"`{each.key}`", f"{each.name} (Bluetooth)", each.unit, None)
        for each in of.ABOUT_LINES.values()
    ]
    return "\n".join(lines)


def _battery() -> Any:
    from holdfast.addresses import TcpAddress
    from holdfast.drivers.jkbms.options import JkOptions

    return JkOptions(where=TcpAddress("gateway", 1), batteries={"0": "front"})


def _battery_row(key: str, what: str, unit: str, sanity: Any) -> str:
    limits = []
    if sanity is not None and sanity.minimum is not None:
        limits.append(f"{sanity.minimum:.10g} to {sanity.maximum:.10g}")
    if sanity is not None and sanity.jump is not None:
        limits.append(f"steps up to {sanity.jump:g}")
    return f"| {key} | {what} | {unit} | {', '.join(limits)} |".replace("|  |", "| |").replace("|  |", "| |")


def pack_values() -> str:
    """The keys of a whole pack."""
    from holdfast.drivers.jkbms.pack import aggregates

    lines = ["| key | what | unit |", "| --- | --- | --- |"]
    made = [each.capability for each in aggregates(_battery())]
    lines += [f"| `{each.key}` | {each.name} | {each.unit} |" for each in made]
    return "\n".join(line.replace("|  |", "| |") for line in lines)


def alarm_names() -> str:
    """Every alarm that has a name."""
    from holdfast.drivers.jkbms.alarms import ALARMS

    return _wrapped(each for each in ALARMS if not each.startswith("unknown"))


def settings_keys() -> str:
    """Every setting with its unit."""
    from holdfast.drivers.jkbms.capabilities import capabilities

    prefix = "0/settings/"
    known = [each for each in capabilities(_battery()) if each.key.startswith(prefix)]
    return _wrapped(
        f"`{each.key.removeprefix(prefix)}`" + (f" ({each.unit})" if each.unit else "") for each in known
    )


def _wrapped(items: Iterable[str]) -> str:
    return textwrap.fill(", ".join(items) + ".", 118, break_long_words=False, break_on_hyphens=False)


# --- HTTP -----------------------------------------------------------------------------------------------------------


def openapi() -> dict[str, Any]:
    """The API's own document, of a hub without devices."""

    async def make() -> dict[str, Any]:
        from holdfast.clock import SystemClock
        from holdfast.hub.hub import Hub
        from holdfast.web.api.application import application
        from holdfast.web.api.document import document
        from holdfast.web.api.feed import Feed

        hub = Hub(SystemClock(asyncio.get_running_loop()))
        try:
            return document(application(hub, Feed(hub), asyncio.Event()))
        finally:
            await hub.stop()

    return asyncio.run(make())


def routes() -> str:
    """Every call with its parameters."""
    lines = ["| call | gives | parameters |", "| --- | --- | --- |"]
    for path, operations in openapi()["paths"].items():
        for method, operation in operations.items():
            parameters = [
                f"`{each['name']}`" + ("" if "description" not in each else f": {each['description']}")
                for each in operation.get("parameters", ())
                if each["in"] != "path"
            ]
            if "requestBody" in operation:
                parameters.append("a JSON body")
            told = " ".join(parameters)
            lines.append(f"| `{method.upper()} {path}` | {operation['summary']} | {told} |")
    return "\n".join(line.replace("|  |", "| |") for line in lines)


def problems() -> str:
    """Every kind of problem."""
    from holdfast.web.api.problem import KINDS

    lines = ["| status | code | title |", "| --- | --- | --- |"]
    return "\n".join([*lines, *(f"| {each.status} | `{each.code}` | {each.title} |" for each in KINDS)])


# --- command line ---------------------------------------------------------------------------------------------------


def commands() -> str:
    """Every command with its arguments and options."""
    import typer

    from holdfast.cli.program import program

    return "\n\n".join(_commands(typer.main.get_command(program), "holdfast"))


def _commands(command: Any, path: str) -> Iterator[str]:
    inner: Mapping[str, Any] = getattr(command, "commands", {})
    parameters = [each for each in command.params if not each.hidden]
    arguments = [each for each in parameters if not each.opts[0].startswith("-")]
    usage = " ".join([path, *(_argument(each) for each in arguments), *(["COMMAND"] if inner else [])])
    lines = [f"### {path}", "", f"`{usage}`", "", _sentence(command.help)]
    if parameters:
        lines += ["", "| argument or option | meaning | default |", "| --- | --- | --- |"]
        lines += [f"| {_names(each)} | {_meaning(each)} | {_default(each)} |" for each in parameters]
    yield "\n".join(lines).replace("|  |", "| |").replace("|  |", "| |")
    for name, each in inner.items():
        if not each.hidden:
            yield from _commands(each, f"{path} {name}")


def _argument(parameter: Any) -> str:
    name = (parameter.metavar or parameter.name.upper()).strip("[]")
    return name if parameter.required else f"[{name}]"


def _names(parameter: Any) -> str:
    if not parameter.opts[0].startswith("-"):
        return f"`{_argument(parameter)}`"
    names = ", ".join(f"`{each}`" for each in (*parameter.opts, *parameter.secondary_opts))
    if parameter.is_flag:
        return names
    return names + f" `{parameter.metavar or parameter.name.upper()}`"


def _meaning(parameter: Any) -> str:
    limits = ""
    if parameter.min is not None or parameter.max is not None:
        low = (
            ""
            if parameter.min is None
            else f" {'from' if parameter.max is not None else 'at least'} {parameter.min:g}"
        )
        high = "" if parameter.max is None else f" to {parameter.max:g}"
        limits = f"A number{low}{high}."
    is_needed = parameter.required and parameter.opts[0].startswith("-")
    return " ".join(
        each for each in (_sentence(parameter.help or ""), limits, "Required." if is_needed else "") if each
    )


def _default(parameter: Any) -> str:
    if parameter.default is None or parameter.default is False or parameter.required:
        return ""
    if parameter.default is True:
        return f"`{parameter.opts[0]}`"
    return f"`{parameter.default:g}`" if isinstance(parameter.default, float) else f"`{parameter.default}`"


def _sentence(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


# --- the example of a driver ------------------------------------------------------------------------------------------


def example() -> str:
    """The driver that `tests/docs/test_contributing.py` runs."""
    text = re.sub(r"^# ruff: .*\n", "", EXAMPLE.read_text(), flags=re.MULTILINE)
    return f"```python\n{text}```"


PARTS: Mapping[str, Mapping[str, Callable[[], str]]] = {
    "docs/link.md": {"states": diagram, "timings": lambda: timings(LINK_TIMINGS)},
    "docs/http.md": {"routes": routes, "problems": problems},
    "docs/cli.md": {"commands": commands},
    "docs/ipcom.md": {"timings": lambda: timings(IPCOM_TIMINGS)},
    "docs/jkbms.md": {
        "timings": lambda: timings(JKBMS_TIMINGS),
        "battery": battery_values,
        "pack": pack_values,
        "alarms": alarm_names,
        "settings": settings_keys,
    },
    "CONTRIBUTING.md": {"driver": example},
}
"""The parts of each page, and what makes them."""


def filled(text: str, parts: Mapping[str, Callable[[], str]]) -> str:
    """A page with its parts made anew; raises `ValueError` if it lacks the marks of one."""
    for name, make in parts.items():
        pattern = re.compile(rf"(<!-- made: {name} -->\n).*?(<!-- end: {name} -->)", re.DOTALL)
        if len(pattern.findall(text)) != 1:
            raise ValueError(f"the marks of {name} must stand in the page once")
        made = make()
        text = pattern.sub(lambda match, made=made: f"{match[1]}\n{made}\n\n{match[2]}", text)  # type: ignore[misc]
    return text


def main() -> int:
    """Write the pages, or only look."""
    is_check = "--check" in sys.argv[1:]
    old = []
    for page, parts in PARTS.items():
        path = ROOT / page
        before = path.read_text()
        after = filled(before, parts)
        if after != before:
            old.append(page)
            if not is_check:
                path.write_text(after)
    sys.stdout.write("".join(f"{page} {'is out of date' if is_check else 'written'}\n" for page in old))
    return int(is_check and bool(old))


if __name__ == "__main__":
    sys.exit(main())
