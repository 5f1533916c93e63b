"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from holdfast.cli.completion import complete_adapter, complete_controller, complete_device, complete_name

SiteOption = Annotated[
    Path | None,
    typer.Option(
        "--site", metavar="FILE", help="Run this site file's devices here, over one session, without a hub."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]
TimeoutOption = Annotated[
    float | None,
    typer.Option(
        "--timeout", metavar="S", help="Seconds after which the command expires.", show_default=False
    ),
]
WaitOption = Annotated[
    bool, typer.Option("--wait/--no-wait", help="Wait until the device itself has confirmed it.")
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")]
DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="DIR",
        help="The store in this data directory, without a hub.",
        show_default=False,
    ),
]
DeviceArgument = Annotated[str, typer.Argument(metavar="DEVICE", autocompletion=complete_device)]
ControllerArgument = Annotated[str, typer.Argument(metavar="CONTROLLER", autocompletion=complete_controller)]
AdapterArgument = Annotated[str, typer.Argument(metavar="ADAPTER", autocompletion=complete_adapter)]
OneDeviceArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="[DEVICE]", help="Only this device or controller.", autocompletion=complete_device
    ),
]
NameArgument = Annotated[
    str,
    typer.Argument(
        metavar="NAME",
        help="A target such as house/kitchen, its key or its name.",
        autocompletion=complete_name,
    ),
]
