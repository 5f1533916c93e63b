"""Devices: how they are, how they are reached, what they can do, "try again now" and "use this adapter"."""

import asyncio
import math
from collections.abc import Iterable, Iterator

import msgspec
from fastapi import Request, Response

from holdfast.hub.hub import Hub
from holdfast.model import Adapter, Capability, Reason, ReasonCode
from holdfast.web.api.description import answers, body, listing, schema_of
from holdfast.web.api.encoding import JsonAnswer, ListAnswer
from holdfast.web.api.limits import read_body
from holdfast.web.api.parsing import parsed
from holdfast.web.api.problem import MALFORMED_JSON, UNKNOWN_TARGET, WRONG_TYPE
from holdfast.web.api.router import Router
from holdfast.web.api.shapes import (
    ActivationShape,
    AdapterShape,
    CapabilityShape,
    DeviceShape,
    FoundShape,
    ReasonShape,
    Redundancy,
    RedundancyShape,
    RetryShape,
)

DISABLED = "disabled"
"""State of an adapter that the site switched off: it has no link that could be in another."""
ADVICE = 'Send nothing, or an object such as {"pin": true}.'

_decode = msgspec.json.Decoder(ActivationShape).decode


def routes(hub: Hub) -> Router:
    """The routes under ``/devices``."""
    router = Router(prefix="/devices", tag="devices")

    @router.get("", responses=answers(listing(DeviceShape)), summary="All devices")
    async def devices() -> Response:
        return ListAnswer(_devices(hub))

    @router.get(
        "/{device_id}", responses=answers(schema_of(DeviceShape), UNKNOWN_TARGET), summary="One device"
    )
    async def device(device_id: str) -> Response:
        return JsonAnswer(device_shape(hub, device_id))

    @router.post(
        "/{device_id}/retry",
        responses=answers(schema_of(RetryShape), UNKNOWN_TARGET),
        summary="Try to reach a device again now",
        description="Cuts short the wait before the next try, also that after a refused login. An open link stays. "
        "Like every write it needs the header Content-Type: application/json, though no body.",
    )
    async def retry(device_id: str) -> Response:
        hub.retry(device_id)
        adapters = [each.adapter.id for each in hub.device(device_id).attachments]
        return JsonAnswer(RetryShape(device_id, adapters))

    @router.post(
        "/{device_id}/adapters/{adapter_id}/activate",
        responses=answers(schema_of(DeviceShape), UNKNOWN_TARGET, MALFORMED_JSON, WRONG_TYPE),
        openapi_extra=body(ActivationShape, is_required=False),
        summary="Choose the adapter that serves a device",
        description="It serves as soon as it delivers, until then the present one goes on; an `event` of kind "
        "`failover` tells when it does, or that it could not be had. Unpinned, the usual rules go on: the preferred "
        "adapter returns when it has delivered for the hold time. Pinned, the chosen one is the preferred one until "
        "another choice or the hub's end. Activating without a pin clears a pin. Gives the device. A body is not "
        "needed, the header Content-Type: application/json is.",
    )
    async def activate(device_id: str, adapter_id: str, request: Request) -> Response:
        data = await read_body(request)
        wish = parsed(data, _decode, ADVICE) if data else ActivationShape()
        hub.activate(device_id, adapter_id, is_pinned=wish.pin)
        # The decision falls in the next turn of the loop; a reserve that delivers serves by then.
        await asyncio.sleep(0)
        return JsonAnswer(device_shape(hub, device_id))

    return router


def _devices(hub: Hub) -> Iterator[DeviceShape]:
    for device_id in list(hub.devices):
        if device_id in hub.devices:  # the list goes out in slices, and a device may go meanwhile
            yield device_shape(hub, device_id)


def reason_shape(reason: Reason) -> ReasonShape:
    """A reason as it goes over the wire."""
    return ReasonShape(reason.code, reason.text, reason.since, reason.next_try_at, reason.advice)


def device_shape(hub: Hub, device_id: str) -> DeviceShape:
    """A device as it goes over the wire; raises `UnknownTarget`."""
    device = hub.device(device_id)
    configured = device.device.adapters
    active = device.active.adapter if device.attachments else None
    state, text = device.redundancy()
    return DeviceShape(
        id=device.id,
        name=device.device.name,
        driver=active.driver if active else configured[0].driver if configured else "",
        availability=device.availability,
        reason=reason_shape(device.present_reason()),
        active_adapter=active.id if active else None,
        redundancy=RedundancyShape(Redundancy(state), text),
        adapters=list(adapter_shapes(hub, device_id)),
        capabilities=[
            capability_shape(device.id, each, device.device.outputs.get(each.key, {}).get("aliases", ()))
            for each in device.capabilities.values()
        ],
    )


def capability_shape(holder_id: str, capability: Capability, aliases: Iterable[str] = ()) -> CapabilityShape:
    """One thing that a device or controller can report or do, as it goes over the wire."""
    return CapabilityShape(
        key=capability.key,
        target=f"{holder_id}/{capability.key}",
        aliases=list(aliases),
        type=capability.type.value,
        role=capability.role,
        name=capability.name,
        unit=capability.unit,
        minimum=capability.minimum,
        maximum=capability.maximum,
        choices=list(capability.choices),
        commands=list(capability.commands),
        writable=capability.writable,
        essential=capability.essential,
        fail_safe=capability.fail_safe,
        member=capability.member,
        group=capability.group,
        deadline_s=capability.deadline_s,
    )


def adapter_shapes(hub: Hub, device_id: str) -> Iterator[AdapterShape]:
    """A device's adapters as they go over the wire: those at work, then those that the site switched off."""
    device = hub.device(device_id)
    now = hub.core.now()
    pinned = device.choice.pinned if device.choice is not None else ""
    for each in device.attachments:
        adapter, link = each.adapter, each.link
        yield AdapterShape(
            id=adapter.id,
            driver=adapter.driver,
            priority=adapter.priority,
            role="active" if each.is_active else "standby",
            standby=adapter.standby,
            is_pinned=pinned == adapter.id,
            state=link.state.value,
            reason=reason_shape(link.reason),
            deadline_s=min(
                (group.deadline_s for group in each.groups.values() if group.deadline_s < math.inf),
                default=None,
            ),
            silence_s=each.driver.timing.silence_s,
            endpoint=str(link.endpoint),
            members=sorted(each.members - {""}, key=lambda member: (len(member), member)),
            found=[FoundShape(member, **sighting.as_dict(now)) for member, sighting in link.found.items()],
        )
    for configured in device.device.adapters:
        if not configured.is_enabled:
            yield disabled_shape(configured)


def disabled_shape(adapter: Adapter) -> AdapterShape:
    """An adapter that the site switched off. Nothing keeps it, so nothing is known of its path."""
    return AdapterShape(
        id=adapter.id,
        driver=adapter.driver,
        priority=adapter.priority,
        role="standby",
        standby=adapter.standby,
        is_pinned=False,
        state=DISABLED,
        reason=ReasonShape(ReasonCode.CONFIGURATION, "switched off in the site", None, None, ""),
        deadline_s=None,
        silence_s=None,
        endpoint="",
        members=[],
        found=[],
    )
