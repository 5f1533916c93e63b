"""Controllers: what each sees, wants and waits for, and what people may ask of it."""

import asyncio
from collections.abc import Iterator
from typing import Any

import msgspec
from fastapi import Request, Response

from holdfast.control import AlarmKind, Role
from holdfast.hub.controllers.asked import NotPossible
from holdfast.hub.controllers.report import report_of
from holdfast.hub.controllers.thermostat import Thermostat
from holdfast.hub.hub import Hub
from holdfast.model import Authority, Issuer
from holdfast.web.api.description import answers, body, json_body, listing, schema_of
from holdfast.web.api.devices import capability_shape
from holdfast.web.api.encoding import JsonAnswer, ListAnswer
from holdfast.web.api.guard import CALLER
from holdfast.web.api.limits import read_body
from holdfast.web.api.parsing import parsed
from holdfast.web.api.problem import (
    MALFORMED_JSON,
    NOT_POSSIBLE,
    PERSON_NEEDED,
    UNKNOWN_TARGET,
    WRONG_TYPE,
    Problem,
)
from holdfast.web.api.router import Router
from holdfast.web.api.shapes import (
    AcknowledgementShape,
    ControllerShape,
    GivingBackShape,
    NewBandShape,
    NewLimitsShape,
    ProfileMoveShape,
    ProfileStep,
)
from holdfast.web.api.waiting import written

MAY_MEET = (UNKNOWN_TARGET, NOT_POSSIBLE, MALFORMED_JSON, WRONG_TYPE)
OF_PERSONS = (PERSON_NEEDED, *MAY_MEET)
GIVES = "Gives the controller as it is then. The answer waits for the store, for a second at most."
STEPS = {"type": "array", "items": {"type": "object"}}

_decode_limits = msgspec.json.Decoder(NewLimitsShape).decode
_decode_steps = msgspec.json.Decoder(list[ProfileStep]).decode
_decode_move = msgspec.json.Decoder(ProfileMoveShape).decode
_decode_acknowledgement = msgspec.json.Decoder(AcknowledgementShape).decode
_decode_giving_back = msgspec.json.Decoder(GivingBackShape).decode


def routes(hub: Hub, closing: asyncio.Event) -> Router:
    """The routes under ``/controllers`` but those that change the site. ``closing`` lets those go who wait."""
    router = Router(prefix="/controllers", tag="controllers")

    async def kept(controller: Thermostat) -> Response:
        await written(hub, closing)
        return JsonAnswer(shown(hub, controller))

    @router.get("", responses=answers(listing(ControllerShape)), summary="All controllers")
    async def controllers() -> Response:
        return ListAnswer(_all(hub))

    @router.get(
        "/{controller_id}",
        responses=answers(schema_of(ControllerShape), UNKNOWN_TARGET),
        summary="One controller",
    )
    async def controller(controller_id: str) -> Response:
        return JsonAnswer(shown(hub, hub.controllers.controller(controller_id)))

    @router.post(
        "/{controller_id}/limits",
        responses=answers(schema_of(ControllerShape), *MAY_MEET),
        openapi_extra=body(NewLimitsShape),
        summary="Set both limits at once",
        description="They hold until they are set anew, or the site says other ones. A profile that is over is left; "
        f"while one runs it says the limits, and this is `not_possible`. {GIVES}",
    )
    async def set_limits(controller_id: str, request: Request) -> Response:
        found = hub.controllers.controller(controller_id)
        new = parsed(
            await read_body(request), _decode_limits, 'Send an object such as {"low": 18, "high": 20}.'
        )
        limits: dict[str, object] = {"low": new.low, "high": new.high}
        if isinstance(new.cooling, NewBandShape):
            limits["cooling"] = {"low": new.cooling.low, "high": new.cooling.high}
        elif new.cooling is None:
            limits["cooling"] = None
        found.set_limits(limits, _issuer(request))
        return await kept(found)

    @router.put(
        "/{controller_id}/profile",
        responses=answers(schema_of(ControllerShape), *MAY_MEET),
        openapi_extra=json_body(STEPS, "The steps as in a site file."),
        summary="Follow these steps from the first one on",
        description=f"An empty list leaves the profile: the usual limits hold again. {GIVES}",
    )
    async def profile(controller_id: str, request: Request) -> Response:
        found = hub.controllers.controller(controller_id)
        advice = 'Send a list such as [{"low": 18, "high": 20, "hold_s": 86400}].'
        steps = list(parsed(await read_body(request), _decode_steps, advice))
        found.set_profile(steps, _issuer(request))
        return await kept(found)

    @router.post(
        "/{controller_id}/profile",
        responses=answers(schema_of(ControllerShape), *MAY_MEET),
        openapi_extra=body(ProfileMoveShape),
        summary="Start, pause, continue or skip in the profile",
        description=GIVES,
    )
    async def move(controller_id: str, request: Request) -> Response:
        found = hub.controllers.controller(controller_id)
        wish = parsed(await read_body(request), _decode_move, 'Send an object such as {"move": "pause"}.')
        found.move_profile(wish.move, _issuer(request))
        return await kept(found)

    @router.post(
        "/{controller_id}/acknowledge",
        responses=answers(schema_of(ControllerShape), *OF_PERSONS),
        openapi_extra=body(AcknowledgementShape),
        summary="Say that a person has seen an alarm",
        description="After `swapped_plugs` the plugs may be used again: look at them first. Only a person may do "
        f"this. {GIVES}",
    )
    async def acknowledge(controller_id: str, request: Request) -> Response:
        found = hub.controllers.controller(controller_id)
        _ask_for_person(request, "acknowledge an alarm")
        advice = 'Send an object such as {"alarm": "swapped_plugs"}.'
        alarm = parsed(await read_body(request), _decode_acknowledgement, advice).alarm
        _expect_alarm(found, alarm)
        found.acknowledge(alarm, _issuer(request))
        return await kept(found)

    @router.post(
        "/{controller_id}/give-back",
        responses=answers(schema_of(ControllerShape), *OF_PERSONS),
        openapi_extra=body(GivingBackShape),
        summary="End a take-over: the controller decides again",
        description="Where nobody has taken the plug over nothing changes. Taking over is a command with "
        f"`take_over_s`. Only a person may do this. {GIVES}",
    )
    async def give_back(controller_id: str, request: Request) -> Response:
        found = hub.controllers.controller(controller_id)
        _ask_for_person(request, "give a plug back")
        advice = 'Send an object such as {"role": "heater"}.'
        role = parsed(await read_body(request), _decode_giving_back, advice).role
        _expect_plug(found, role)
        found.give_back(role, _issuer(request))
        return await kept(found)

    return router


def shown(hub: Hub, controller: Thermostat) -> dict[str, Any]:
    """A controller as it goes over the wire: its report, and what it can do."""
    known = controller.capabilities.values()
    return {
        **report_of(hub, controller).members(),
        "capabilities": [capability_shape(controller.id, each) for each in known],
    }


def _all(hub: Hub) -> Iterator[dict[str, Any]]:
    for controller in hub.controllers:
        if (
            hub.controllers.get(controller.id) is controller
        ):  # the list goes out in slices, and it may go meanwhile
            yield shown(hub, controller)


def _issuer(request: Request) -> Issuer:
    """Who asks, for the journal."""
    issuer: Issuer = request.scope[CALLER].issuer
    return issuer


def _ask_for_person(request: Request, what: str) -> None:
    """The machine that calls may be the one that is wrong: somebody must have looked."""
    if request.scope[CALLER].authority is not Authority.PERSON:
        raise Problem(
            PERSON_NEEDED,
            f"this token commands as an automation, and only a person may {what}",
            advice="Use a token that the token file marks as a person's: name:person:token.",
        )


def _expect_alarm(controller: Thermostat, kind: AlarmKind) -> None:
    active = [alarm.kind.value for alarm in controller.memory.alarms]
    if kind not in active:
        raise NotPossible(
            f"{controller.id} has no alarm {kind.value} now",
            advice=f"Its alarms are: {', '.join(active) or 'none'}.",
        )


def _expect_plug(controller: Thermostat, role: Role) -> None:
    if role not in controller.settings.roles:
        raise NotPossible(f"{controller.id} has no {role.value}")
