"""Devices: how they are, how they are reached, what they can do, and "try again now"."""

import math
from collections.abc import Iterator

from fastapi import Response

from holdfast.hub.hub import Hub
from holdfast.model import Reason
from holdfast.web.api.description import answers, listing, schema_of
from holdfast.web.api.encoding import JsonAnswer, ListAnswer
from holdfast.web.api.problem import UNKNOWN_TARGET
from holdfast.web.api.router import Router
from holdfast.web.api.shapes import AdapterShape, CapabilityShape, DeviceShape, ReasonShape, RetryShape


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
    return DeviceShape(
        id=device.id,
        name=device.device.name,
        driver=active.driver if active else configured[0].driver if configured else "",
        availability=device.availability,
        reason=reason_shape(device.reason),
        active_adapter=active.id if active else None,
        adapters=[
            AdapterShape(
                id=each.adapter.id,
                driver=each.adapter.driver,
                priority=each.adapter.priority,
                role="active" if each.is_active else "standby",
                state=each.link.state.value,
                reason=reason_shape(each.link.reason),
                deadline_s=min(
                    (group.deadline_s for group in each.groups.values() if group.deadline_s < math.inf),
                    default=None,
                ),
                silence_s=each.driver.timing.silence_s,
                endpoint=str(each.link.endpoint),
            )
            for each in device.attachments
        ],
        capabilities=[
            CapabilityShape(
                key=each.key,
                target=f"{device.id}/{each.key}",
                aliases=list(device.device.outputs.get(each.key, {}).get("aliases", ())),
                type=each.type.value,
                role=each.role,
                name=each.name,
                unit=each.unit,
                minimum=each.minimum,
                maximum=each.maximum,
                choices=list(each.choices),
                commands=list(each.commands),
                writable=each.writable,
                essential=each.essential,
                member=each.member,
                group=each.group,
                deadline_s=each.deadline_s,
            )
            for each in device.capabilities.values()
        ],
    )
