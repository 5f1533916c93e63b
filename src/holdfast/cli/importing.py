"""Site files from the configurations of earlier programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from holdfast.drivers.ipcom.device_map import Problem, read_device_map
from holdfast.hub.site.write import dump_site

if TYPE_CHECKING:
    from holdfast.hub.site.yaml import YamlFile

USERNAME_ENV, PASSWORD_ENV = "IPCOM_USERNAME", "IPCOM_PASSWORD"


def site_of_map(file: YamlFile) -> tuple[str, list[str], bool]:
    """A site file's text, what is to be said of the map, and whether the text can be used."""
    imported = read_device_map(file.value)
    remarks = [_remark(each, file) for each in imported.problems]
    adapter = {
        "id": "lan",
        "driver": "ipcom",
        "url": "tcp://HOST:5000",
        "username": {"env": USERNAME_ENV},
        "password": {"env": PASSWORD_ENV},
    }
    device: dict[str, Any] = {"id": "house", "name": "House", "adapters": [adapter]}
    if imported.modules:
        device["options"] = {"modules": imported.modules}
    device["outputs"] = imported.outputs
    site = {"site": {"id": "home", "name": "Home"}, "devices": [device]}
    comments = {
        (): f"Made by 'holdfast import ipcom {file.source}'.\nPut the login into {USERNAME_ENV} and {PASSWORD_ENV}.",
        ("devices", 0, "adapters", 0, "url"): "The controller's address on your network instead of HOST:",
    }
    return dump_site(site, comments=comments), remarks, not imported.has_errors


def _remark(problem: Problem, file: YamlFile) -> str:
    """One line: file, line, place, what is wrong."""
    line = file.locate(problem.path)
    where = file.source if line is None else f"{file.source}:{line}"
    place = f"{'.'.join(problem.path)}: " if problem.path else ""
    return f"{where}: {place}{problem.text}" + (" (a warning)" if problem.is_warning else "")
