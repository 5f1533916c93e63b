"""The planner, one decision at a time."""

from __future__ import annotations

import math

from holdfast.drivers.ipcom.capabilities import last_level_key, projection
from holdfast.drivers.ipcom.interlock import guard_mark, off_mark, on_mark, write_tag
from holdfast.drivers.ipcom.messages import ModuleWrite, write_request
from holdfast.drivers.ipcom.options import IpcomOptions
from holdfast.drivers.ipcom.planner import IpcomPlanner
from holdfast.drivers.ipcom.wiring import Output, OutputKind, Place
from holdfast.link.planner import Action, Cell, Done, Read, Refuse, Sight, Step, Wait, Warn, WireLog, Wish
from holdfast.model import Authority, Stamp, Value
from tests.drivers.ipcom.golden import VECTORS, raw
from tests.drivers.ipcom.homes import BLIND, HOUSE, codec, options

NOW = 1000.0
UP, DOWN = Place(5, 8), Place(5, 7)
APART_UP, APART_DOWN = Place(3, 1), Place(4, 1)
LOOK = Read("", "outputs")


class Scene:
    """A house at one moment: seen now, in a session that has long been quiet, with nothing ever sent."""

    def __init__(self, house: IpcomOptions | None = None, **on: int) -> None:
        self.options = house or options()
        self.planner = IpcomPlanner(self.options)
        self.state = bytearray(128)
        self.sent = WireLog()
        self.now = NOW
        self.as_of = Stamp(NOW, 1000)
        self.at = NOW
        self.since = NOW - 100.0
        self.since_of: dict[str, float] = {}
        self.levels: dict[str, Value] = {}
        self.has_sight = True

    def put(self, *places: Place, value: int = 255) -> Scene:
        for place in places:
            self.state[place.offset] = value
        return self

    def ask(self, *wishes: Wish) -> list[Action]:
        values = {**projection(self.options)("", "outputs", bytes(self.state), {}), **self.levels}
        cells = {
            key: Cell(value, Stamp(self.since_of.get(key, self.since), 900)) for key, value in values.items()
        }
        sight = Sight(self.as_of, self.at, bytes(self.state), cells)
        seen = {("", "outputs"): sight} if self.has_sight else {}
        return list(self.planner(wishes, seen, self.sent, self.now))

    def step(self, *wishes: Wish) -> Step:
        steps = [action for action in self.ask(*wishes) if isinstance(action, Step)]
        assert len(steps) == 1
        return steps[0]


def wish(
    key: str,
    value: Value,
    *,
    sends: int = 0,
    try_at: float = NOW,
    issued_n: int = 999,
    authority: Authority = Authority.PERSON,
    urgent: bool = False,
) -> Wish:
    return Wish(key, value, authority, sends, try_at, Stamp(NOW, issued_n), urgent)


def values(*on: int, value: int = 255) -> bytes:
    """A module with these outputs (1 to 8) on."""
    return bytes(value if output in on else 0 for output in range(1, 9))


# --- reading and writing ---------------------------------------------------------------------------------------


def test_nothing_to_do() -> None:
    """A quiet house asks for nothing."""
    assert Scene().ask() == []


def test_without_a_snapshot_of_this_session() -> None:
    """Nothing is written from memory: look first, also for a stop; a wish that may not go yet waits."""
    scene = Scene()
    scene.has_sight = False
    assert scene.ask(wish("kitchen", True)) == [LOOK]
    assert scene.ask(wish("blind", "stop", urgent=True)) == [LOOK]
    assert scene.ask(wish("kitchen", True, try_at=NOW + 1)) == []
    assert scene.ask() == []


def test_a_fresh_snapshot_is_written_over() -> None:
    """The other seven values are those just seen."""
    scene = Scene().put(Place(1, 2), Place(1, 8))
    step = scene.step(wish("kitchen", True))
    assert step.payload == ModuleWrite(1, values(1, 2, 8))
    assert step.tag == write_tag(1)
    assert step.final == step.serves == ("kitchen",)
    assert not step.is_urgent
    assert (step.member, step.group) == ("", "outputs")


def test_an_old_snapshot_is_renewed_first() -> None:
    """Older than 100 ms at arrival, or asked for before the last write to the module (fault 16)."""
    scene = Scene()
    scene.at = NOW - 0.101
    assert scene.ask(wish("kitchen", True)) == [LOOK]
    scene = Scene()
    scene.sent.note(write_tag(1), Stamp(NOW, 1000))
    assert scene.ask(wish("kitchen", True)) == [LOOK]
    scene.sent.note(write_tag(2), Stamp(NOW, 1001))
    scene.sent.note(write_tag(1), Stamp(NOW, 999))
    assert scene.step(wish("kitchen", True))


def test_a_new_wish_looks_first() -> None:
    """However young, a snapshot asked for before the wish may miss a switch pressed just then; a stop looks not."""
    scene = Scene()
    assert scene.ask(wish("kitchen", True, issued_n=1000)) == [LOOK]
    assert scene.ask(wish("blind", "open", issued_n=1000)) == [LOOK]
    assert scene.step(wish("blind", "stop", issued_n=1000, urgent=True))


def test_a_stream_of_wishes_cannot_put_a_write_off() -> None:
    """The oldest new wish decides, and later ones share its frame; one sent before needs no look of its own."""
    step = Scene().step(wish("kitchen", True, issued_n=999), wish("pump", True, issued_n=1000))
    assert set(step.final) == {"kitchen", "pump"}
    assert Scene().step(wish("kitchen", True, sends=1, issued_n=1000)).final == ("kitchen",)


def test_a_slow_device_is_written_all_the_same() -> None:
    """The age counts from arrival: an answer that took long is fresh when it comes."""
    scene = Scene()
    scene.as_of = Stamp(NOW - 0.5, 1000)
    assert scene.step(wish("kitchen", True))


def test_wishes_of_one_module_share_a_frame() -> None:
    """All that wait together; the first module goes first."""
    scene = Scene()
    step = scene.step(wish("pump", True), wish("salon", 40), wish("kitchen", True))
    assert step.payload == ModuleWrite(1, values(1, 2))
    assert set(step.final) == {"kitchen", "pump"}


def test_sent_wishes_are_laid_over_and_not_counted_again() -> None:
    """A snapshot that still shows the old value does not take back what was just sent (fault 15)."""
    scene = Scene()
    scene.sent.note(write_tag(1), Stamp(NOW - 0.3, 990))
    step = scene.step(wish("kitchen", True, sends=1, try_at=NOW + 1.2), wish("pump", True))
    assert step.payload == ModuleWrite(1, values(1, 2))
    assert step.final == step.serves == ("pump",)
    assert scene.ask(wish("kitchen", True, sends=1, try_at=NOW + 1.2)) == [Wait(NOW + 1.2)]


def test_a_wish_that_may_not_go_yet_is_not_carried() -> None:
    """Held back by its retry plan and never sent: frames leave it out."""
    scene = Scene()
    step = scene.step(wish("kitchen", True, try_at=NOW + 5), wish("pump", True))
    assert step.payload == ModuleWrite(1, values(2))


def test_golden_write_sequences() -> None:
    """Several outputs of one module before any snapshot shows them: each frame contains the earlier ones."""
    for sequence in VECTORS["write_sequences"]:
        module = sequence["module"]
        kind = OutputKind.DIMMER if module == 6 else OutputKind.LIGHT
        house = options()
        outputs = tuple(
            Output(
                key=f"o{number}", name="", kind=kind, place=Place(module, number), module=house.module(module)
            )
            for number in range(1, 9)
        )
        scene = Scene(IpcomOptions(host="h", bus=sequence["bus"], modules=house.modules, outputs=outputs))
        scene.state[(module - 1) * 8 : module * 8] = bytes(sequence["before"])
        made = codec(raw(sequence["session_key"]), scene.options)
        sent: list[Wish] = []
        for step in sequence["steps"]:
            value: Value = step["value"] if kind is OutputKind.DIMMER else step["value"] > 0
            # Sent before: the frame is wanted even where the module already reads so.
            new = wish(f"o{step['output']}", value, sends=1)
            planned = scene.step(*sent, new)
            assert write_request(sequence["bus"], 60, planned.payload) == raw(step["plain"])
            assert made.encode(planned.payload) == raw(step["wire"])
            sent.append(new._replace(try_at=math.inf))


# --- already so ---------------------------------------------------------------------------------------------------


def test_done_needs_evidence_from_after_the_wish() -> None:
    """Already so: ask, then say so, and send nothing."""
    scene = Scene().put(Place(1, 1))
    assert scene.ask(wish("kitchen", True, issued_n=1000)) == [LOOK]
    assert scene.ask(wish("kitchen", True)) == [Done("kitchen")]
    assert Scene().ask(wish("kitchen", False)) == [Done("kitchen")]
    assert Scene().put(Place(6, 2), value=40).ask(wish("salon", 40)) == [Done("salon")]
    assert Scene().put(Place(6, 2), value=40).ask(wish("salon", True)) == [Done("salon")]


def test_done_not_while_a_write_is_on_its_way() -> None:
    """An opposite write may not have shown yet: send again instead."""
    scene = Scene().put(Place(1, 1))
    scene.sent.note(write_tag(1), Stamp(NOW - 0.9, 990))
    assert scene.step(wish("kitchen", True))
    scene.sent.note(write_tag(1), Stamp(NOW - 1.0, 990))
    assert scene.ask(wish("kitchen", True)) == [Done("kitchen")]


def test_done_never_for_what_was_sent_or_ordered() -> None:
    """A sent wish is verified by the core; a standing order says OFF whatever is believed."""
    assert Scene().step(wish("kitchen", False, sends=1))
    assert Scene().step(wish("pump", False, authority=Authority.STANDING_ORDER, urgent=True)).is_urgent


def test_done_is_not_sent_with_the_rest() -> None:
    """What is done takes no part in a frame that goes out at the same moment."""
    scene = Scene().put(Place(1, 1))
    actions = scene.ask(wish("kitchen", True), wish("pump", True))
    assert actions[0] == Done("kitchen")
    assert isinstance(actions[1], Step)
    assert actions[1].final == ("pump",)


def test_a_verified_order_is_carried() -> None:
    """It asks for nothing, but every frame to the module says OFF."""
    scene = Scene().put(Place(1, 2))
    order = wish("pump", False, sends=3, try_at=math.inf, authority=Authority.STANDING_ORDER, urgent=True)
    assert scene.ask(order) == []
    assert scene.step(order, wish("kitchen", True)).payload == ModuleWrite(1, values(1))


def test_order_of_service() -> None:
    """Urgent before the rest, then by authority, then by age."""
    scene = Scene()
    late = wish("kitchen", True, issued_n=5)
    assert scene.step(wish("porch", True, issued_n=6), late).payload.module == 1
    master = wish("porch", True, issued_n=6, authority=Authority.INTERLOCK)
    assert scene.step(master, late).payload.module == 5
    scene.put(Place(1, 2))
    assert scene.step(master, wish("pump", False, urgent=True)).payload.module == 1


# --- levels -------------------------------------------------------------------------------------------------------


def level(scene: Scene, value: Value, key: str = "salon") -> int:
    write: ModuleWrite = scene.step(wish(key, value, sends=1)).payload
    return write.values[1 if key == "salon" else 0]


def test_dimmers() -> None:
    """Per cent in the module's own scale; "on" is the last level, full where none is known."""
    scene = Scene()
    assert level(scene, 40) == 40
    assert level(scene, 12.5) == 13
    assert level(scene, 50, "hall") == 128
    assert level(scene, False) == 0
    assert level(scene, True) == 100
    assert level(scene, True, "hall") == 255
    scene.levels = {last_level_key("salon"): 35, last_level_key("hall"): 50}
    assert level(scene, True) == 35
    assert level(scene, True, "hall") == 128
    scene.put(Place(6, 2), value=20)
    assert level(scene, True) == 20


def test_on_can_mean_full() -> None:
    """As the owner configures it."""
    scene = Scene(options(dimmer_on="full"))
    scene.levels = {last_level_key("salon"): 35}
    assert level(scene, True) == 100


def test_light_on_a_dimmer_module() -> None:
    """On is the module's full byte, never 255 where 100 is full; a level that is there stays."""
    house = options({"lamp": {"kind": "light", "module": 6, "output": 1}})
    scene = Scene(house)
    assert scene.step(wish("lamp", True)).payload.values[0] == 100
    scene.put(Place(6, 1), value=30)
    assert scene.step(wish("lamp", True, sends=1)).payload.values[0] == 30


def test_levels_for_relays() -> None:
    """A relay takes 0 and 100, and refuses what lies between."""
    assert Scene().step(wish("kitchen", 100)).payload == ModuleWrite(1, values(1))
    assert Scene().step(wish("kitchen", 0, sends=1)).payload == ModuleWrite(1, bytes(8))
    assert Scene().ask(wish("kitchen", 50)) == [Refuse("kitchen", "kitchen can be on or off, not 50")]
    scene = Scene()
    actions = scene.ask(wish("kitchen", 50, sends=1, try_at=NOW + 1), wish("pump", True))
    assert isinstance(actions[-1], Step)
    assert actions[-1].payload == ModuleWrite(1, values(2))


# --- motors -------------------------------------------------------------------------------------------------------


def test_open() -> None:
    """Long at rest: the frame has the one relay on, and both are marked."""
    step = Scene().step(wish("blind", "open"))
    assert step.payload == ModuleWrite(5, values(8))
    assert step.final == ("blind",)
    assert set(step.marks) == {on_mark(UP), off_mark(DOWN)}
    assert Scene().step(wish("blind", "close")).payload == ModuleWrite(5, values(7))
    assert Scene().step(wish("apart", "open")).payload == ModuleWrite(3, values(1))
    assert Scene().step(wish("apart", "close")).payload == ModuleWrite(4, values(1))


def test_open_needs_freshness_on_both_modules() -> None:
    """The partner's evidence must be as fresh as the relay's own."""
    scene = Scene()
    scene.sent.note(write_tag(4), Stamp(NOW - 5, 1001))
    assert scene.ask(wish("apart", "open")) == [LOOK]


def test_what_nobody_has_sent_rests_longer() -> None:
    """A program that was restarted does not know its last ON: the first snapshot counts as one."""
    scene = Scene()
    scene.since = NOW - 1.4
    assert scene.ask(wish("blind", "open")) == [Wait(NOW - 1.4 + 1.5)]
    scene.since = NOW - 1.5
    assert scene.step(wish("blind", "open")).final == ("blind",)


def closing(sent_on_s: float, seen_off_s: float | None) -> Scene:
    """A blind that was told to close and then to stop; seen off so long ago, or still on."""
    scene = Scene()
    scene.sent.note(on_mark(DOWN), Stamp(NOW - sent_on_s, 500))
    scene.sent.note(off_mark(DOWN), Stamp(NOW - sent_on_s + 0.1, 501))
    scene.sent.note(write_tag(5), Stamp(NOW - sent_on_s + 0.1, 501))
    if seen_off_s is None:
        scene.put(DOWN)
    else:
        scene.since = NOW - seen_off_s
    return scene


def test_reversal_releases_first() -> None:
    """Running the other way: off, and it does not count as the attempt."""
    scene = Scene().put(DOWN)
    step = scene.step(wish("blind", "open"))
    assert step.payload == ModuleWrite(5, bytes(8))
    assert step.serves == ("blind",)
    assert step.final == ()
    scene = Scene().put(APART_DOWN)
    assert scene.step(wish("apart", "open")).payload == ModuleWrite(4, bytes(8))


def test_reversal_waits_for_the_last_on() -> None:
    """Max(seen off, last ON of the other + bound) + dead time: an ON in flight is a running motor."""
    assert closing(0.8, 0.6).ask(wish("blind", "open")) == [Wait(NOW - 0.8 + 1.0 + 0.5)]
    assert closing(1.5, 0.4).ask(wish("blind", "open")) == [Wait(NOW - 0.4 + 0.5)]
    assert closing(1.5, 0.5).step(wish("blind", "open")).final == ("blind",)


def test_reversal_needs_an_off_behind_the_on() -> None:
    """Seen off is not enough: the ON may be lost, or late. One OFF more costs a frame."""
    scene = Scene()
    scene.sent.note(on_mark(DOWN), Stamp(NOW - 50, 500))
    step = scene.step(wish("blind", "open"))
    assert step.payload == ModuleWrite(5, bytes(8))
    assert step.final == ()


def test_reversal_asks_about_the_off() -> None:
    """Evidence asked for before the OFF proves nothing."""
    scene = closing(2.0, 1.0)
    scene.sent.note(off_mark(DOWN), Stamp(NOW - 0.01, 1000))
    assert scene.ask(wish("blind", "open")) == [LOOK]


def test_an_off_that_does_not_show_is_repeated() -> None:
    """The bus lost it: once more after 1.5 s."""
    scene = closing(1.0, None)
    assert scene.ask(wish("blind", "open")) == [Wait(NOW - 0.9 + 1.5)]
    scene = closing(1.6, None)
    assert scene.step(wish("blind", "open")).payload == ModuleWrite(5, bytes(8))


def test_already_moving() -> None:
    """Opening already, by evidence from after the wish; not while something is on its way."""
    scene = Scene().put(UP)
    assert scene.ask(wish("blind", "open")) == [Done("blind")]
    assert scene.ask(wish("blind", "open", issued_n=1000)) == [LOOK]
    scene.sent.note(write_tag(5), Stamp(NOW - 0.5, 990))
    assert scene.step(wish("blind", "open")).payload == ModuleWrite(5, values(8))


def test_stop() -> None:
    """Both off, at once: no fresh snapshot, no spacing; always sent."""
    scene = Scene().put(UP, Place(5, 1))
    scene.at = NOW - 0.45
    scene.sent.note(write_tag(5), Stamp(NOW - 0.1, 1200))
    step = scene.step(wish("blind", "stop", urgent=True, issued_n=1201))
    assert step.payload == ModuleWrite(5, values(1))
    assert step.is_urgent
    assert step.final == ("blind",)
    assert Scene().step(wish("blind", "stop", urgent=True)).is_urgent


def test_stop_goes_before_everything() -> None:
    """Also when older wishes wait for a fresh snapshot."""
    scene = Scene().put(UP)
    scene.at = NOW - 0.3
    step = scene.step(wish("kitchen", True, issued_n=1), wish("blind", "stop", urgent=True))
    assert step.payload.module == 5


def test_stop_over_two_modules() -> None:
    """Two frames, one attempt; a retry sends both again."""
    scene = Scene().put(APART_UP)
    stop = wish("apart", "stop", urgent=True, try_at=NOW - 1, issued_n=900)
    first = scene.step(stop)
    assert first.payload == ModuleWrite(3, bytes(8))
    assert first.serves == ("apart",)
    assert first.final == ()
    scene.sent.note(off_mark(APART_UP), Stamp(NOW, 1001))
    second = scene.step(stop)
    assert second.payload == ModuleWrite(4, bytes(8))
    assert second.final == ("apart",)
    scene.sent.note(off_mark(APART_DOWN), Stamp(NOW, 1002))
    assert scene.ask(stop) == []
    scene.now = scene.at = NOW + 2
    assert scene.step(stop._replace(sends=1, try_at=NOW + 1.5)).payload.module == 3


def test_stop_keeps_other_motors_running_on_recent_evidence_only() -> None:
    """A stop's frame carries what ran half a second ago, and nothing older."""
    second = {"kind": "cover", "up": {"module": 5, "output": 6}, "down": {"module": 5, "output": 5}}
    scene = Scene(options({**HOUSE, "second": second})).put(UP, Place(5, 6))
    scene.at = NOW - 0.5
    stop = wish("blind", "stop", urgent=True)
    assert scene.step(stop).payload == ModuleWrite(5, values(6))
    scene.at = NOW - 0.51
    assert scene.step(stop).payload == ModuleWrite(5, bytes(8))


# --- what neighbours carry ---------------------------------------------------------------------------------------


def test_a_neighbour_carries_a_running_motor() -> None:
    """On stays on, and is marked: that frame is an ON in flight too."""
    step = Scene().put(UP).step(wish("porch", True))
    assert step.payload == ModuleWrite(5, values(1, 8))
    assert set(step.marks) == {on_mark(UP), off_mark(DOWN)}
    assert step.final == ("porch",)


def test_a_neighbour_never_revives() -> None:
    """What a wall switch stopped stays stopped (fault 16): the values are those of the fresh snapshot."""
    scene = Scene()
    scene.sent.note(on_mark(UP), Stamp(NOW - 5, 900))
    assert scene.step(wish("porch", True)).payload == ModuleWrite(5, values(1))


def test_a_neighbour_carries_no_relay_whose_partner_may_be_on() -> None:
    """An ON of the partner that has not shown yet: the motor stops rather than run both ways."""
    scene = Scene().put(UP)
    scene.sent.note(on_mark(DOWN), Stamp(NOW - 0.9, 900))
    assert scene.step(wish("porch", True)).payload == ModuleWrite(5, values(1))
    scene.sent.note(on_mark(DOWN), Stamp(NOW - 1.0, 900))
    assert scene.step(wish("porch", True)).payload == ModuleWrite(5, values(1, 8))


def test_a_neighbour_carries_the_wish_for_the_motor() -> None:
    """A reversal under way stays off, a start that just went out stays on, a stop stays a stop."""
    off = closing(0.2, None).step(wish("blind", "open"), wish("porch", True))
    assert off.payload == ModuleWrite(5, values(1))
    assert off.final == ("porch",)
    assert off.serves == ("blind", "porch")
    scene = Scene()
    scene.sent.note(on_mark(UP), Stamp(NOW - 0.2, 900))
    started = wish("blind", "open", sends=1, try_at=NOW + 1)
    assert scene.step(started, wish("porch", True)).payload == ModuleWrite(5, values(1, 8))
    stopped = wish("blind", "stop", sends=1, try_at=NOW + 1)
    assert Scene().put(UP).step(stopped, wish("porch", True)).payload == ModuleWrite(5, values(1))


def test_an_urgent_frame_keeps_a_start_on_its_way() -> None:
    """A stop for one motor, built on an older snapshot, does not take back its neighbour's start."""
    second = {"kind": "cover", "up": {"module": 5, "output": 6}, "down": {"module": 5, "output": 5}}
    scene = Scene(options({**HOUSE, "second": second})).put(UP)
    scene.at = NOW - 0.3
    scene.sent.note(on_mark(Place(5, 6)), Stamp(NOW - 0.1, 1001))
    scene.sent.note(off_mark(Place(5, 5)), Stamp(NOW - 0.1, 1001))
    started = wish("second", "open", sends=1, try_at=math.inf)
    stop = wish("blind", "stop", urgent=True)
    assert scene.step(started, stop).payload == ModuleWrite(5, values(6))
    unsent = wish("second", "open")
    assert scene.step(unsent, stop).payload == ModuleWrite(5, bytes(8))
    scene.put(Place(5, 5))  # a wall switch was quicker
    assert scene.step(started, stop).payload == ModuleWrite(5, bytes(8))


def test_an_urgent_frame_starts_nothing_on_old_evidence() -> None:
    """A start that is due waits for its own, fresh frame."""
    second = {"kind": "cover", "up": {"module": 5, "output": 6}, "down": {"module": 5, "output": 5}}
    scene = Scene(options({**HOUSE, "second": second})).put(UP)
    scene.at = NOW - 0.3
    step = scene.step(wish("second", "open"), wish("blind", "stop", urgent=True))
    assert step.payload == ModuleWrite(5, bytes(8))
    assert step.final == ("blind",)
    assert step.serves == ("second", "blind")


def test_with_a_quick_bus_evidence_must_still_be_asked_for() -> None:
    """However short the latency, what was asked for before the partner's ON says nothing about it."""
    second = {"kind": "cover", "up": {"module": 5, "output": 6}, "down": {"module": 5, "output": 5}}
    scene = Scene(options({**HOUSE, "second": second}, bus_latency_s=0.1)).put(Place(5, 6))
    scene.at = NOW - 0.3
    scene.sent.note(on_mark(Place(5, 5)), Stamp(NOW - 0.2, 1001))
    assert scene.step(wish("blind", "stop", urgent=True)).payload == ModuleWrite(5, bytes(8))


def test_a_motion_and_a_light_share_a_frame() -> None:
    """Both final."""
    step = Scene().step(wish("blind", "close"), wish("porch", True))
    assert step.payload == ModuleWrite(5, values(1, 7))
    assert set(step.final) == {"blind", "porch"}


def test_a_motion_that_may_not_go_yet_is_not_carried() -> None:
    """Never sent and not due: the frame says what is."""
    step = Scene().step(wish("blind", "close", try_at=NOW + 1), wish("porch", True))
    assert step.payload == ModuleWrite(5, values(1))
    assert step.serves == ("porch",)


def test_a_motion_done_takes_no_part() -> None:
    """Already opening: done, and a light's frame carries it."""
    actions = Scene().put(UP).ask(wish("blind", "open"), wish("porch", True))
    assert actions[0] == Done("blind")
    assert isinstance(actions[1], Step)
    assert actions[1].payload == ModuleWrite(5, values(1, 8))
    assert actions[1].serves == ("porch",)


# --- guarding -----------------------------------------------------------------------------------------------------


def test_both_on() -> None:
    """Both off at once and urgently, without a wish; repeated after 1.5 s; a motion is refused, a stop accepted."""
    scene = Scene().put(UP, DOWN)
    scene.at = NOW - 0.3
    warning, step = scene.ask()
    assert isinstance(warning, Warn)
    assert warning.key == "blind"
    assert isinstance(step, Step)
    assert step.payload == ModuleWrite(5, bytes(8))
    assert step.is_urgent
    assert step.serves == ()
    assert guard_mark(scene.options.covers[0]) in step.marks
    actions = scene.ask(wish("blind", "open"))
    assert isinstance(actions[1], Refuse)
    assert scene.step(wish("blind", "stop", urgent=True)).final == ("blind",)
    for relay in (UP, DOWN):  # told off before, for another reason
        scene.sent.note(off_mark(relay), Stamp(NOW - 0.5, 800))
    scene.since_of["blind"] = NOW - 0.1
    assert isinstance(scene.ask()[1], Step)
    for relay in (UP, DOWN):
        scene.sent.note(off_mark(relay), Stamp(NOW, 1001))
    assert scene.ask()[1:] == [Wait(NOW + 1.5)]
    scene.now = NOW + 1.5
    assert isinstance(scene.ask()[1], Step)


def test_both_on_over_two_modules() -> None:
    """One urgent frame each."""
    scene = Scene().put(APART_UP, APART_DOWN)
    assert scene.step().payload == ModuleWrite(3, bytes(8))
    scene.sent.note(off_mark(APART_UP), Stamp(NOW, 1001))
    assert scene.step().payload == ModuleWrite(4, bytes(8))


def test_what_is_left_of_both_on() -> None:
    """One OFF was lost, one motor runs on: it is switched off too. A start of ours later on is left alone."""
    scene = Scene().put(UP)
    guard = guard_mark(scene.options.covers[0])
    scene.since = NOW - 0.1
    scene.sent.note(guard, Stamp(NOW - 0.5, 800))
    warning, step = scene.ask()
    assert isinstance(warning, Warn)
    assert isinstance(step, Step)
    assert step.payload == ModuleWrite(5, bytes(8))
    scene.sent.note(on_mark(UP), Stamp(NOW - 0.3, 900))
    assert scene.ask() == []
    rested = Scene()
    rested.sent.note(guard, Stamp(NOW - 0.5, 800))
    assert rested.ask() == []


def test_maximum_run() -> None:
    """After it both go off, whoever wants what; before it the planner asks to be woken."""
    scene = Scene(options({**HOUSE, "blind": {**BLIND, "maximum_run_s": 60}})).put(UP)
    scene.since = NOW - 59
    assert scene.ask() == [Wait(NOW + 1)]
    scene.since = NOW - 60
    warning, step = scene.ask(wish("blind", "open", sends=1))
    assert isinstance(warning, Warn)
    assert isinstance(step, Step)
    assert step.payload == ModuleWrite(5, bytes(8))
    assert step.is_urgent
    assert step.final == ()
    assert step.serves == ("blind",)
    scene.sent.note(off_mark(UP), Stamp(NOW, 1001))
    scene.as_of = Stamp(NOW, 1002)
    assert scene.ask(wish("blind", "open", sends=1))[1:] == [Wait(NOW + 1.5)]
    assert Scene(scene.options).ask() == []


def test_guards_only_where_there_are_motors() -> None:
    """A house without covers need not ask the planner at every change."""
    assert IpcomPlanner(options()).is_guarding
    assert not IpcomPlanner(options({})).is_guarding


def test_a_cover_without_a_cell() -> None:
    """A value that the core does not keep rests since the last arrival."""
    scene = Scene()
    scene.options = options({})
    assert scene.ask(wish("blind", "open")) == [Wait(NOW + 1.5)]
