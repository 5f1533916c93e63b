"""What goes over the wire, as types: the OpenAPI document and the tests are made from them.

Readings and receipts are encoded straight from the model, because there may be many; their shapes here only describe
them, and a test holds the two together. The component names in the document are the class names without `Shape`.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from holdfast.control import AlarmKind, Output, Role, State
from holdfast.hub.ports import Trouble
from holdfast.hub.site.plan import What
from holdfast.model import Availability, CommandState, Quality, ReasonCode, Standby

LONGEST_TEXT = 256
"""Characters of a target or of a text value: nothing in a house is named longer, and receipts are kept."""

Value = bool | int | float | str | list[str] | None
"""What a capability can hold; `null` where there is no current value."""


class Redundancy(StrEnum):
    """Whether a device has reserves that work."""

    NONE = "none"
    FULL = "full"
    REDUCED = "reduced"


class ReadingShape(Struct):
    """What is known of one capability at the moment of asking."""

    target: Annotated[str, Meta(description="Device and capability: `house/kitchen`.")]
    value: Annotated[Value, Meta(description="The current value; `null` unless the quality is good or late.")]
    unit: str
    quality: Quality
    suspect: Annotated[bool, Meta(description="It passed its sanity limits only by repeating.")]
    observed_at: datetime | None
    age_s: Annotated[float | None, Meta(description="Seconds since the evidence for it was asked for.")]
    deadline_s: Annotated[
        float | None, Meta(description="The age at which it is stale; `null`: it does not age.")
    ]
    adapter: Annotated[str, Meta(description="The adapter through which it came.")]
    last_known: Annotated[Value, Meta(description="The last value seen, however old.")]
    missing: Annotated[
        list[str],
        Meta(
            description="Members that a value made of several lacks. Without them it is not current, or tells of the "
            "others alone where that is allowed."
        ),
    ]


class ReasonShape(Struct):
    """Why something is as it is, since when, when it is tried next, and what a person can do."""

    code: ReasonCode
    text: str
    since: datetime | None
    next_try_at: datetime | None
    advice: str


class FoundShape(Struct):
    """A member that is heard on a path and that no adapter there is configured for."""

    member: str
    messages: Annotated[int, Meta(description="Whole messages of it since the hub started.")]
    ago_s: Annotated[float, Meta(description="Seconds since the last one.")]


class AdapterShape(Struct):
    """One way to reach a device."""

    id: str
    driver: str
    priority: Annotated[int, Meta(description="The lowest is preferred.")]
    role: Annotated[
        Literal["active", "standby"], Meta(description="Whether the device is served through it.")
    ]
    standby: Annotated[
        Standby,
        Meta(description="While another one serves: `cold` is connected when needed, `hot` always."),
    ]
    is_pinned: Annotated[bool, Meta(description="A person made it the preferred one.")]
    state: Annotated[
        str,
        Meta(
            description="State of its link, as in `/links`; `disabled` if the site switched the adapter off."
        ),
    ]
    reason: ReasonShape
    deadline_s: Annotated[float | None, Meta(description="The shortest age at which a value of it is stale.")]
    silence_s: Annotated[
        float | None, Meta(description="Seconds of silence after which its session is dropped.")
    ]
    endpoint: Annotated[str, Meta(description="Its path, as in `/links`; empty while it is disabled.")]
    members: Annotated[
        list[str],
        Meta(
            description="Those it is configured for or has taken in; empty where the device is not divided."
        ),
    ]
    found: Annotated[list[FoundShape], Meta(description="Heard on its path and not configured there.")]


class CapabilityShape(Struct):
    """One thing that a device can report or do."""

    key: str
    target: str
    aliases: Annotated[list[str], Meta(description="Other names that the site gives it.")]
    type: str
    role: str
    name: str
    unit: str
    minimum: float | None
    maximum: float | None
    choices: list[str]
    commands: Annotated[
        list[str], Meta(description="Accepted when writing, where they differ from what is reported.")
    ]
    writable: bool
    essential: bool
    fail_safe: Annotated[
        Any,
        Meta(description="What it must be when anything is in doubt; `null`: nothing of the kind."),
    ]
    member: Annotated[str, Meta(description="The part of the device that it belongs to; empty: all of it.")]
    group: Annotated[str, Meta(description="What goes fresh together, as named by `fresh` events.")]
    deadline_s: float | None


class RedundancyShape(Struct):
    """Whether a device has reserves that work. No outage: a reserve in use or a broken one is told here."""

    state: Annotated[
        Redundancy,
        Meta(
            description="`none`: there is nothing to choose. `full`: the preferred adapter serves and no other one is "
            "known to be broken. `reduced`: a reserve serves, or a reserve is down."
        ),
    ]
    text: Annotated[str, Meta(description="Why, unless it is full.")]


class DeviceShape(Struct):
    """A device: how it is, why, how it is reached, and what it can do."""

    id: str
    name: str
    driver: str
    availability: Availability
    reason: ReasonShape
    active_adapter: str | None
    redundancy: RedundancyShape
    adapters: list[AdapterShape]
    capabilities: list[CapabilityShape]


class ActivationShape(Struct, forbid_unknown_fields=True):
    """How an adapter is chosen."""

    pin: Annotated[
        bool,
        Meta(
            description="Prefer it from now on, until another choice or the hub's end. `false` clears a pin."
        ),
    ] = False


WantedNumber = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
WantedText = Annotated[str, Meta(max_length=LONGEST_TEXT)]


class CommandShape(Struct, forbid_unknown_fields=True):
    """A wish."""

    target: Annotated[str, Meta(max_length=LONGEST_TEXT, description="What to set: `house/kitchen`.")]
    value: Annotated[
        bool | WantedNumber | float | WantedText,
        Meta(description="`true` or `false`, a number in the capability's unit, or a word such as `open`."),
    ]
    timeout_s: Annotated[
        float | None,
        Meta(
            description="Seconds until it expires. Default: the worst case of its verification, at least 10."
        ),
    ] = None
    wait: Annotated[
        bool, Meta(description="Answer when the command has ended, not when it was accepted.")
    ] = False
    take_over_s: Annotated[
        float | None,
        Meta(
            description="A person takes a controller's plug over for so many seconds, at most a day. Without it the "
            "command is `refused` where a controller owns the target."
        ),
    ] = None


class PostedShape(Struct, forbid_unknown_fields=True):
    """A reading for a device of the driver `push`."""

    target: Annotated[
        str, Meta(max_length=LONGEST_TEXT, description="What was observed: `chamber/temperature`.")
    ]
    value: Annotated[
        bool | WantedNumber | float | WantedText,
        Meta(description="`true` or `false`, a number in the capability's unit, or a text."),
    ]
    observed_at: Annotated[
        Annotated[datetime, Meta(tz=True)] | None,
        Meta(description="When, with the offset from UTC. Default: when it comes."),
    ] = None


class DeliveryShape(Struct):
    """What became of a posted reading."""

    target: str
    accepted: Annotated[bool, Meta(description="Whether it is believed.")]
    code: Annotated[
        str,
        Meta(
            description="Why not: `sanity`, `type`, `unit`, `sensor`, `future`, `too_old`, `overtaken`, "
            "`not_listening` or `rejected`; empty if it is."
        ),
    ]
    reason: Annotated[str, Meta(description="The same in words.")]
    observed_at: datetime
    quality: Annotated[
        Quality, Meta(description="Of the target's reading now: `stale` if it was observed too long ago.")
    ]


class IspindelShape(Struct):
    """What an iSpindel or a GravityMon posts. Other fields are ignored."""

    name: str | msgspec.UnsetType = msgspec.UNSET
    ID: str | int | msgspec.UnsetType = msgspec.UNSET
    token: Annotated[
        str | msgspec.UnsetType, Meta(description="Of the hub, where the sender can set no header.")
    ] = msgspec.UNSET
    angle: Annotated[float | msgspec.UnsetType, Meta(description="Degrees.")] = msgspec.UNSET
    temperature: float | msgspec.UnsetType = msgspec.UNSET
    temp_units: Annotated[Literal["C", "F", "K"] | msgspec.UnsetType, Meta(description="Default: C.")] = (
        msgspec.UNSET
    )
    battery: Annotated[float | msgspec.UnsetType, Meta(description="Volts.")] = msgspec.UNSET
    gravity: float | msgspec.UnsetType = msgspec.UNSET
    gravity_unit: Annotated[
        Literal["G", "P"] | msgspec.UnsetType,
        Meta(
            description="Specific gravity or degrees Plato. Default: as the device's option `gravity_unit` says."
        ),
    ] = msgspec.field(name="gravity-unit", default=msgspec.UNSET)
    interval: Annotated[float | msgspec.UnsetType, Meta(description="Seconds.")] = msgspec.UNSET
    RSSI: Annotated[float | msgspec.UnsetType, Meta(description="dBm.")] = msgspec.UNSET


class ReceiptShape(Struct):
    """A command and what became of it."""

    id: str
    target: str
    value: Value
    issuer: str
    state: CommandState
    reason: str
    attempts: int
    may_have_executed: Annotated[
        bool, Meta(description="It was sent and not verified: the device may have done it.")
    ]
    timeout_s: float | None
    created_at: datetime
    sent_at: datetime | None
    ended_at: datetime | None
    sent_after_s: float | None
    ended_after_s: float | None


class SpreadShape(Struct):
    """A distribution."""

    p50_s: float | None
    p99_s: float | None
    longest_s: float | None
    samples: int


class OutageShape(Struct):
    """Time without fresh data."""

    cause: str
    text: str
    ago_s: float
    detect_s: Annotated[float, Meta(description="From the last sign of life to the verdict.")]
    recover_s: Annotated[
        float | None, Meta(description="From the verdict to the next data; `null`: not yet.")
    ]


class IdentityShape(Struct):
    """What a device said of itself when a session was opened; empty where it said nothing."""

    serial: Annotated[str, Meta(description="Of a plug its hardware address.")]
    model: str
    firmware: str


class LinkShape(Struct):
    """The report of one link since the hub started. Shares go from 0 to 1."""

    endpoint: str
    state: str
    reason: ReasonShape
    devices: list[str]
    adapters: Annotated[list[str], Meta(description="`device/adapter` of each adapter that uses it.")]
    silence_s: float | None
    identity: IdentityShape
    age_s: float
    uptime_share: float
    up_since_s: float | None
    sessions: int
    dials: int
    outage_count: int
    reconnects_last_hour: int
    reconnects_last_day: int
    polls: int
    answers: int
    changes: int
    skipped_polls: int
    unanswered_share: float
    poll_lateness: SpreadShape
    command_latency: SpreadShape
    steps: Annotated[int, Meta(description="Writes sent to devices.")]
    strangers: Annotated[int, Meta(description="Whole messages of members that nobody configured.")]
    found: Annotated[list[FoundShape], Meta(description="The members that sent them.")]
    counters: Annotated[
        dict[str, Any],
        Meta(description="The driver's own counts of this path's traffic; some of them by kind."),
    ]
    bytes_in: int
    bytes_out: int
    rejects: Annotated[dict[str, int], Meta(description="What was not believed, counted by kind.")]
    outages: list[OutageShape]


class MomentShape(Struct):
    """One thing that happened on a link."""

    at: datetime
    ago_s: float
    kind: str
    text: str


class RecordedLinkShape(LinkShape):
    """A link's report with its flight recorder: the last things that happened on it, oldest first."""

    moments: list[MomentShape]


class EventShape(Struct):
    """One thing that happened, in words. `data` holds what programs may want besides."""

    id: Annotated[str, Meta(description="`epoch:seq`, as in the stream.")]
    at: datetime
    kind: Annotated[
        str,
        Meta(
            description="`availability`, `command`, `alarm`, or what else took place: `failover`, `hub`, `order` …"
        ),
    ]
    device: str | None
    text: str
    data: Annotated[
        dict[str, Any],
        Meta(
            description="For `failover`: `decision` (`moved`, `trying`, `all_down` or `gave_up`), `before`, `after`, "
            "`data_age_s` (of the newest data through `before`), `attempts` in vain on it, and `lost`, the members "
            "that `after` does not cover."
        ),
    ]


class AlarmShape(Struct):
    """Something that a person should know."""

    target: str
    text: str
    is_on: bool
    since: datetime


class AvailabilityShape(Struct):
    """How a device is."""

    device: str
    availability: Availability
    reason: ReasonShape


class FreshShape(Struct):
    """Unchanged values were seen again: those of one group of a device."""

    device: str
    member: str
    group: str
    adapter: str
    as_of: datetime
    age_s: float
    deadline_s: float | None


class ResetShape(Struct):
    """Forget what you know: everything follows anew."""

    why: Annotated[
        Literal["outside_ring", "gap"],
        Meta(
            description="`outside_ring`: too long away, or another run of the hub. `gap`: you read too slowly."
        ),
    ]
    lost: Annotated[int | None, Meta(description="How many records were lost, where that is known.")]


class HealthShape(Struct):
    """That the hub answers."""

    status: Literal["ok"]


class StoreShape(Struct):
    """How the store does."""

    trouble: Annotated[Trouble | None, Meta(description="Why it cannot do its work; `null`: it can.")]
    text: str
    advice: str
    since: Annotated[datetime | None, Meta(description="Since when; `null`: it was always well.")]
    waiting: Annotated[int, Meta(description="What is not written yet.")]
    dropped: Annotated[
        int, Meta(description="Events lost since the start, for want of room while it was in trouble.")
    ]


class ReadyShape(Struct):
    """That the hub keeps its links, and whether it can write down what happens."""

    status: Annotated[
        Literal["ready", "degraded"],
        Meta(description="`degraded`: the store is in trouble. The devices are kept all the same."),
    ]
    store: Annotated[StoreShape | None, Meta(description="`null`: this hub keeps nothing.")]


class SiteStateShape(Struct):
    """The site as it is."""

    revision: Annotated[int, Meta(description="Grows with each change; `expected` compares it.")]
    site: Annotated[
        dict[str, Any],
        Meta(description="The keys of a site file. Secrets as they are written there, never themselves."),
    ]


class ArrayShape(Struct):
    """Packs that belong together."""

    id: str
    name: str
    packs: Annotated[list[str], Meta(description="Their devices.")]
    attached_to: Annotated[str, Meta(description="Where they are attached now; empty: nowhere.")]


class StepShape(Struct):
    """What becomes of one device in a change of the site."""

    what: Annotated[
        What,
        Meta(
            description="`rebuild`: all of its adapters reconnect. `adapt`: only those that are named. `keep`: none."
        ),
    ]
    device: str
    text: str
    adapters: list[str]


class SiteChangeShape(Struct):
    """What a change of the site does, or did."""

    revision: Annotated[int, Meta(description="Of the site now.")]
    is_done: Annotated[bool, Meta(description="`false`: only shown, as `dry_run` asked.")]
    lines: Annotated[list[str], Meta(description="All of it in words; empty: there is nothing to change.")]
    steps: list[StepShape]


class EnablingShape(Struct, forbid_unknown_fields=True):
    """Whether an adapter may be used."""

    enabled: bool


class SiteProblemShape(Struct):
    """One thing that is wrong with a site."""

    path: Annotated[str, Meta(description="Where in the site: `devices[0].adapters[1].url`.")]
    text: str
    advice: str


class BandShape(Struct):
    """Two limits in °C."""

    low: float
    high: float


class EnteredShape(Struct):
    """Two limits as a person wrote them: numbers in °C, texts such as `74 °F`; `null`: none."""

    low: float | str | None
    high: float | str | None


class LimitsShape(Struct):
    """The limits in force, and what was entered for them."""

    heating: Annotated[
        BandShape | None,
        Meta(description="Heating begins at or below its low one. `null`: the limits cannot be used."),
    ]
    cooling: Annotated[
        BandShape | None,
        Meta(
            description="Cooling begins at or above its high one. As `heating`, unless there are separate ones."
        ),
    ]
    is_separate: Annotated[bool, Meta(description="The owner has a band of its own for cooling.")]
    unit: Annotated[Literal["°C", "°F"], Meta(description="The unit in which they were entered.")]
    entered: Annotated[
        EnteredShape, Meta(description="Behind those in force; on a ramp those that it leads to.")
    ]
    entered_cooling: EnteredShape | None


class DeadManShape(Struct):
    """A plug's own timer, which switches it off unless it is wound up again."""

    state: Annotated[str, Meta(description="`armed`, `not armed`, `not supported` or `unknown`.")]
    left_s: Annotated[float | None, Meta(description="Seconds until it does; `null`: it does not count.")]


class OrderShape(Struct):
    """A standing order: off until the plug reports it, whatever is believed."""

    cause: str
    issued_at: datetime
    is_verified: bool
    attempts: int


class PlugShape(Struct):
    """One plug of a controller: what is wanted, what it reports, and what stands between."""

    target: str
    wanted: Annotated[
        Output | None,
        Meta(description="`safety off` is a standing order; `released`: not the controller's to decide now."),
    ]
    verified: Annotated[
        ReadingShape | None, Meta(description="What the plug itself reports; `null`: there is no such plug.")
    ]
    has_open_command: Annotated[
        bool, Meta(description="A command is under way: what it reports may be about to change.")
    ]
    error: Annotated[str, Meta(description="What failed last, until something succeeds.")]
    taken_over_until: datetime | None
    taken_over_s: Annotated[float | None, Meta(description="Seconds for which a person keeps it yet.")]
    dead_man: Annotated[DeadManShape | None, Meta(description="`null`: the plug's own timer is not used.")]
    order: OrderShape | None


class ProfileShape(Struct):
    """Limits that change with time, and the place in them."""

    steps: Annotated[list[dict[str, Any]], Meta(description="As in a site file.")]
    index: Annotated[int, Meta(description="Of the present step, from 0; their number when all are over.")]
    spent_s: Annotated[float, Meta(description="Seconds of the present step that are over.")]
    is_paused: bool
    has_ended: Annotated[bool, Meta(description="The limits of the last step hold.")]


class ControllerAlarmShape(Struct):
    """One incident, in the words of the moment when it was raised."""

    kind: AlarmKind
    text: str
    since: datetime
    is_acknowledged: Annotated[bool, Meta(description="A person has seen it.")]


class ControllerShape(Struct):
    """A thermostat: what it sees, what it wants, and why it does nothing."""

    id: str
    name: str
    kind: Literal["thermostat"]
    is_enabled: bool
    state: Annotated[State | None, Meta(description="`null`: it has not decided yet.")]
    reason: Annotated[str | None, Meta(description="Why, in words and in the unit of the limits.")]
    sensor: Annotated[str, Meta(description="The target it goes by; empty: none.")]
    gravity: Annotated[str, Meta(description="The target by which steps may end; empty: none.")]
    temperature: Annotated[
        ReadingShape, Meta(description="In °C; its value is `null` unless it may be acted upon.")
    ]
    limits: LimitsShape
    heater: PlugShape | None
    cooler: PlugShape | None
    profile: ProfileShape | None
    alarms: list[ControllerAlarmShape]
    warnings: Annotated[list[str], Meta(description="What about its settings works and is strange.")]
    look_s: Annotated[
        float | None, Meta(description="It looks again after so many seconds, or at once on news.")
    ]
    capabilities: list[CapabilityShape]


EnteredLimit = WantedNumber | float | WantedText
"""A number in °C, or a text such as `74 °F`."""


class NewBandShape(Struct, forbid_unknown_fields=True):
    """Two limits: numbers in °C, or texts such as `74 °F`."""

    low: EnteredLimit
    high: EnteredLimit


class NewLimitsShape(Struct, forbid_unknown_fields=True):
    """New limits: numbers in °C, or texts such as `74 °F`."""

    low: EnteredLimit
    high: EnteredLimit
    cooling: Annotated[
        NewBandShape | msgspec.UnsetType | None,
        Meta(description="A band of its own for cooling; `null`: the same. Left out: as it is."),
    ] = msgspec.UNSET


Plain = bool | WantedNumber | float | WantedText | None
ProfileStep = dict[str, Plain | dict[str, Plain]]
"""A step of a profile, its keys as in a site file; only the band for cooling is a mapping of its own."""


class ProfileMoveShape(Struct, forbid_unknown_fields=True):
    """What to do with a profile."""

    move: Annotated[
        Literal["start", "pause", "continue", "skip"],
        Meta(
            description="`start`: from the first step. `pause`: keep the limits reached. `skip`: begin the next step."
        ),
    ]


class AcknowledgementShape(Struct, forbid_unknown_fields=True):
    """Which alarm a person has seen."""

    alarm: AlarmKind


class GivingBackShape(Struct, forbid_unknown_fields=True):
    """Which plug a person gives back."""

    role: Role


class RetryShape(Struct):
    """What is being tried again."""

    device: str
    adapters: list[str]


class LogShape(Struct, forbid_unknown_fields=True):
    """How much is told in the log from now on."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"],
        Meta(
            description="The least serious records that are told. With a device: debug switches it on, else off."
        ),
    ]
    device: Annotated[
        Annotated[str, Meta(max_length=LONGEST_TEXT)] | None,
        Meta(description="Only this device's links; `null`: everything."),
    ] = None


class ProblemShape(Struct):
    """An RFC 9457 problem document."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    advice: str | msgspec.UnsetType = msgspec.UNSET
    problems: Annotated[
        list[SiteProblemShape] | msgspec.UnsetType, Meta(description="All of them, for `invalid_site`.")
    ] = msgspec.UNSET
    revision: Annotated[
        int | msgspec.UnsetType, Meta(description="That of the site now, for `site_changed`.")
    ] = msgspec.UNSET
    trouble: Annotated[Trouble | msgspec.UnsetType, Meta(description="For `store_trouble`.")] = msgspec.UNSET


SHAPES: tuple[type[Struct], ...] = (
    ReadingShape,
    DeviceShape,
    ActivationShape,
    CommandShape,
    PostedShape,
    DeliveryShape,
    IspindelShape,
    ReceiptShape,
    LinkShape,
    RecordedLinkShape,
    EventShape,
    AlarmShape,
    AvailabilityShape,
    FreshShape,
    ResetShape,
    HealthShape,
    ReadyShape,
    SiteStateShape,
    ArrayShape,
    SiteChangeShape,
    EnablingShape,
    ControllerShape,
    NewLimitsShape,
    ProfileMoveShape,
    AcknowledgementShape,
    GivingBackShape,
    RetryShape,
    LogShape,
    ProblemShape,
)
"""Every shape that the document names; those inside them follow by themselves."""
