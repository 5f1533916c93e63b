"""The site while the hub runs: shown, replaced as a whole, or changed bit by bit. Each change can be shown first."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import msgspec
from fastapi import Query, Request, Response

from holdfast.hub.living_site import Change, LivingSite
from holdfast.hub.site import SiteError
from holdfast.hub.site import edit as change
from holdfast.hub.site.problems import Problem as SiteProblem
from holdfast.hub.site.problems import spelled
from holdfast.model import Authority
from holdfast.web.api.description import answers, body, json_body, listing, schema_of
from holdfast.web.api.encoding import JsonAnswer, ListAnswer
from holdfast.web.api.guard import CALLER
from holdfast.web.api.limits import read_body
from holdfast.web.api.numbering import numbered
from holdfast.web.api.parsing import parsed
from holdfast.web.api.problem import (
    FIXED_SITE,
    INVALID_SITE,
    MALFORMED_JSON,
    PERSON_NEEDED,
    SITE_CHANGED,
    STORE_TROUBLE,
    UNKNOWN_TARGET,
    WRONG_TYPE,
    Problem,
)
from holdfast.web.api.router import Router
from holdfast.web.api.shapes import (
    ArrayShape,
    EnablingShape,
    SiteChangeShape,
    SiteProblemShape,
    SiteStateShape,
    StepShape,
)

SiteMapping = Mapping[str, Any]
Edit = Callable[[SiteMapping], SiteMapping]

OBJECT = {"type": "object"}
MAY_MEET = (PERSON_NEEDED, UNKNOWN_TARGET, FIXED_SITE, SITE_CHANGED, INVALID_SITE, STORE_TROUBLE)
MAY_MEET_WITH_BODY = (*MAY_MEET, MALFORMED_JSON, WRONG_TYPE)
HOW = (
    "The device is checked and saved before anything of it takes effect, and only what changed reconnects. An actuator "
    "that is on when it goes or moves is switched off first, however long that takes."
)

_decode_object = msgspec.json.Decoder(dict[str, Any]).decode
_decode_names = msgspec.json.Decoder(list[str]).decode
_decode_enabling = msgspec.json.Decoder(EnablingShape).decode

DryRun = Annotated[bool, Query(description="Only say what it would do.")]
Expected = Annotated[
    int | None, Query(ge=0, description="Refuse if the site is at another revision than this one.")
]


def routes(site: LivingSite | None) -> Router:
    """The routes that show and change the site; without a ``site`` they say that there is none to change."""
    router = Router(tag="site")

    def living() -> LivingSite:
        if site is None:
            raise Problem(
                FIXED_SITE,
                "this hub runs a site that is kept nowhere",
                advice="Start a hub with holdfast serve: it keeps its site in a store.",
            )
        return site

    async def edited(request: Request, edit: Edit, expected: int | None, *, dry_run: bool) -> Response:
        found = living()
        _ask_for_person(request)
        return JsonAnswer(change_shape(await found.edit(edit, expected=expected, dry_run=dry_run)))

    async def put(
        request: Request,
        ident: str,
        edit: Callable[[SiteMapping, dict[str, Any]], SiteMapping],
        expected: int | None,
        *,
        dry_run: bool,
    ) -> Response:
        _ask_for_person(request)
        item = _named(await _object(request), ident)
        return await edited(request, lambda site: edit(site, item), expected, dry_run=dry_run)

    # --- the whole of it ------------------------------------------------------------------------------------------

    @router.get(
        "/site",
        responses=answers(schema_of(SiteStateShape), FIXED_SITE),
        summary="The site as it is",
        description="Limits and profiles that were set while a controller ran are part of it.",
    )
    async def shown() -> Response:
        found = living()
        return JsonAnswer(SiteStateShape(found.revision, found.in_force))

    @router.put(
        "/site",
        responses=answers(schema_of(SiteChangeShape), *MAY_MEET_WITH_BODY),
        openapi_extra=json_body(OBJECT, "The keys of a site file."),
        summary="Make this the site",
        description=f"In one piece or not at all. {HOW} Keys that are whole numbers are read as numbers, names of "
        "outputs and capabilities excepted.",
    )
    async def replaced(request: Request, dry_run: DryRun = False, expected: Expected = None) -> Response:
        _ask_for_person(request)
        mapping = await _object(request)
        return await edited(request, lambda _: mapping, expected, dry_run=dry_run)

    @router.post(
        "/devices/{device_id}/abandon",
        responses=answers(schema_of(SiteChangeShape), *MAY_MEET),
        summary="Give up a device that stays only to be switched off",
        description="A device that was on when it was taken out of the site stays, as `ID-old-N`, until it is off. "
        "Only a person can know that it never will. Like every write it needs the header Content-Type: "
        "application/json, though no body.",
    )
    async def abandoned(device_id: str, request: Request) -> Response:
        _ask_for_person(request)
        return JsonAnswer(change_shape(await living().abandon(device_id)))

    # --- devices, and what belongs to them ------------------------------------------------------------------------

    @router.put(
        "/devices/{device_id}",
        responses=answers(schema_of(SiteChangeShape), *MAY_MEET_WITH_BODY),
        openapi_extra=json_body(OBJECT, "A device as in a site file."),
        summary="Add a device, or change it",
        description=HOW,
    )
    async def device(
        device_id: str, request: Request, dry_run: DryRun = False, expected: Expected = None
    ) -> Response:
        return await put(request, device_id, change.put_device, expected, dry_run=dry_run)

    @router.delete(
        "/devices/{device_id}",
        responses=answers(schema_of(SiteChangeShape), *MAY_MEET),
        summary="Remove a device",
        description="Also from the arrays that name it. An actuator that is not verified off stays under another "
        "name until it is.",
    )
    async def no_device(
        device_id: str, request: Request, dry_run: DryRun = False, expected: Expected = None
    ) -> Response:
        return await edited(
            request, lambda site: change.drop_device(site, device_id), expected, dry_run=dry_run
        )

    @router.put(
        "/devices/{device_id}/adapters",
        responses=answers(schema_of(SiteChangeShape), *MAY_MEET_WITH_BODY),
        openapi_extra=json_body(
            {"type": "array", "items": {"type": "string"}}, "Ids, the preferred one first."
        ),
        summary="Order a device's adapters",
        description="They get the priorities 1, 2 and so on; those that are not named follow as they were.",
    )
    async def order(
        device_id: str, request: Request, dry_run: DryRun = False, expected: Expected = None
    ) -> Response:
        _ask_for_person(request)
        names = parsed(await read_body(request), _decode_names, 'Send a list such as ["gateway", "usb"].')
        return await edited(
            request, lambda site: change.order_adapters(site, device_id, names), expected, dry_run=dry_run
        )

    @router.put(
        "/devices/{device_id}/adapters/{adapter_id}",
        responses=answers(schema_of(SiteChangeShape), *MAY_MEET_WITH_BODY),
        openapi_extra=json_body(OBJECT, "An adapter as in a site file."),
        summary="Add an adapter to a device, or change it",
    )
    async def adapter(
        device_id: str,
        adapter_id: str,
        request: Request,
        dry_run: DryRun = False,
        expected: Expected = None,
    ) -> Response:
        return await put(
            request,
            adapter_id,
            lambda site, item: change.put_adapter(site, device_id, item),
            expected,
            dry_run=dry_run,
        )

    @router.patch(
        "/devices/{device_id}/adapters/{adapter_id}",
        responses=answers(schema_of(SiteChangeShape), *MAY_MEET_WITH_BODY),
        openapi_extra=body(EnablingShape),
        summary="Let an adapter be used, or no more",
    )
    async def enabling(
        device_id: str,
        adapter_id: str,
        request: Request,
        dry_run: DryRun = False,
        expected: Expected = None,
    ) -> Response:
        _ask_for_person(request)
        wish = parsed(
            await read_body(request), _decode_enabling, 'Send an object such as {"enabled": false}.'
        )
        return await edited(
            request,
            lambda site: change.enable_adapter(site, device_id, adapter_id, is_enabled=wish.enabled),
            expected,
            dry_run=dry_run,
        )

    @router.delete(
        "/devices/{device_id}/adapters/{adapter_id}",
        responses=answers(schema_of(SiteChangeShape), *MAY_MEET),
        summary="Take an adapter from a device",
    )
    async def no_adapter(
        device_id: str,
        adapter_id: str,
        request: Request,
        dry_run: DryRun = False,
        expected: Expected = None,
    ) -> Response:
        return await edited(
            request,
            lambda site: change.drop_adapter(site, device_id, adapter_id),
            expected,
            dry_run=dry_run,
        )

    @router.put(
        "/devices/{device_id}/outputs/{key}",
        responses=answers(schema_of(SiteChangeShape), *MAY_MEET_WITH_BODY),
        openapi_extra=json_body(OBJECT, "An output as in a site file."),
        summary="Add a named output to a device, or change it",
    )
    async def output(
        device_id: str, key: str, request: Request, dry_run: DryRun = False, expected: Expected = None
    ) -> Response:
        _ask_for_person(request)
        item = await _object(request)
        return await edited(
            request, lambda site: change.put_output(site, device_id, key, item), expected, dry_run=dry_run
        )

    @router.delete(
        "/devices/{device_id}/outputs/{key}",
        responses=answers(schema_of(SiteChangeShape), *MAY_MEET),
        summary="Take a named output from a device",
    )
    async def no_output(
        device_id: str, key: str, request: Request, dry_run: DryRun = False, expected: Expected = None
    ) -> Response:
        return await edited(
            request, lambda site: change.drop_output(site, device_id, key), expected, dry_run=dry_run
        )

    # --- arrays and controllers -----------------------------------------------------------------------------------

    @router.get("/arrays", responses=answers(listing(ArrayShape)), summary="The arrays of packs")
    async def arrays() -> Response:
        found = () if site is None else site.mapping.get("arrays") or ()
        return ListAnswer([_array_shape(each) for each in found])

    @router.put(
        "/arrays/{array_id}",
        responses=answers(schema_of(SiteChangeShape), *MAY_MEET_WITH_BODY),
        openapi_extra=json_body(OBJECT, "An array as in a site file."),
        summary="Add an array of packs, or change it",
    )
    async def array(
        array_id: str, request: Request, dry_run: DryRun = False, expected: Expected = None
    ) -> Response:
        return await put(request, array_id, change.put_array, expected, dry_run=dry_run)

    @router.delete(
        "/arrays/{array_id}",
        responses=answers(schema_of(SiteChangeShape), *MAY_MEET),
        summary="Remove an array; its packs stay",
    )
    async def no_array(
        array_id: str, request: Request, dry_run: DryRun = False, expected: Expected = None
    ) -> Response:
        return await edited(
            request, lambda site: change.drop_array(site, array_id), expected, dry_run=dry_run
        )

    @router.put(
        "/controllers/{controller_id}",
        responses=answers(schema_of(SiteChangeShape), *MAY_MEET_WITH_BODY),
        openapi_extra=json_body(OBJECT, "A controller as in a site file."),
        tags=["controllers"],
        summary="Add a controller, or change it",
        description="It is checked and saved first. What was set while it ran stays where the site does not change it. "
        "A plug that it no longer owns is left off.",
    )
    async def controller(
        controller_id: str, request: Request, dry_run: DryRun = False, expected: Expected = None
    ) -> Response:
        return await put(request, controller_id, change.put_controller, expected, dry_run=dry_run)

    @router.delete(
        "/controllers/{controller_id}",
        responses=answers(schema_of(SiteChangeShape), *MAY_MEET),
        tags=["controllers"],
        summary="Remove a controller",
        description="Its plugs are switched off first.",
    )
    async def no_controller(
        controller_id: str, request: Request, dry_run: DryRun = False, expected: Expected = None
    ) -> Response:
        return await edited(
            request, lambda site: change.drop_controller(site, controller_id), expected, dry_run=dry_run
        )

    return router


# --- what comes in ------------------------------------------------------------------------------------------------


def _ask_for_person(request: Request) -> None:
    """Whoever can change a site decides which files are read as secrets and where they are sent: persons only."""
    if request.scope[CALLER].authority is not Authority.PERSON:
        raise Problem(
            PERSON_NEEDED,
            "this token commands as an automation, and only a person may change the site",
            advice="Use a token that the token file marks as a person's: name:person:token.",
        )


async def _object(request: Request) -> dict[str, Any]:
    data = await read_body(request)
    advice = "Send an object with the keys of a site file."
    # A whole site takes a moment, which belongs to the devices.
    return await asyncio.to_thread(lambda: numbered(parsed(data, _decode_object, advice)))


def _named(item: dict[str, Any], ident: str) -> dict[str, Any]:
    """The item with the id that its path says."""
    if item.get("id", ident) != ident:
        raise invalid(
            SiteError(
                [
                    SiteProblem(
                        ("id",), "the body names another id than the path", f"leave it out or write {ident}"
                    )
                ],
                "body",
            )
        )
    return {"id": ident, **item}


# --- what goes out ------------------------------------------------------------------------------------------------


def change_shape(done: Change) -> SiteChangeShape:
    """A change as it goes over the wire."""
    steps = [StepShape(each.what, each.device, each.text, list(each.adapters)) for each in done.steps]
    return SiteChangeShape(done.revision, done.is_done, done.lines, steps)


def invalid(error: SiteError) -> Problem:
    """What is wrong with a site as a problem: the first thing in words, and all of them in a list."""
    problems = [SiteProblemShape(spelled(each.path), each.text, each.advice) for each in error.problems]
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return Problem(
        INVALID_SITE,
        error.problems[0].rendered(error.source) + more,
        advice="Nothing was changed.",
        more={"problems": problems},
    )


def _array_shape(array: Mapping[str, Any]) -> ArrayShape:
    ident = str(array.get("id", ""))
    return ArrayShape(
        id=ident,
        name=str(array.get("name") or ident),
        packs=[str(each) for each in array.get("packs") or ()],
        attached_to=str(array.get("attached_to") or ""),
    )
