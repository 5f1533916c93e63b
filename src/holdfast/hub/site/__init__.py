"""Reads and checks sites, from mappings and from YAML files, and writes them.

There is one validator, `read_site`, on the standard library alone; a YAML file only adds line numbers to what it
says. All that is wrong comes together in one `SiteError`.
"""

from holdfast.hub.site.problems import Locate, Place, Problem, SiteError
from holdfast.hub.site.read import read_site
from holdfast.hub.site.secret import SecretSource
from holdfast.hub.site.spec import DeviceSpec, SiteSpec
from holdfast.hub.site.write import dump_site
from holdfast.hub.site.yaml import YamlFile, load_site, load_yaml, parse_yaml

__all__ = [
    "DeviceSpec",
    "Locate",
    "Place",
    "Problem",
    "SecretSource",
    "SiteError",
    "SiteSpec",
    "YamlFile",
    "dump_site",
    "load_site",
    "load_yaml",
    "parse_yaml",
    "read_site",
]
