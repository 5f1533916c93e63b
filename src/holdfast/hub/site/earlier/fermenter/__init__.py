"""The configuration of the earlier fermentation program (Fermenter-Temp-Controller), as a site.

`read_folder` reads its three files, `of_files` converts them: pure, never raising, and guessing nothing. What it does
not take over is told with its file and key. Source for files, keys and faults: fermentation fact sheet sections 1, 2,
4, 5, 7 and 9, and the README of the program's folder ``config``.
"""

from holdfast.hub.site.earlier.fermenter.conversion import of_files
from holdfast.hub.site.earlier.fermenter.document import site_text
from holdfast.hub.site.earlier.fermenter.files import (
    NAMES,
    EarlierFile,
    EarlierFiles,
    earlier_file,
    read_folder,
)
from holdfast.hub.site.earlier.fermenter.takeover import Report, Takeover

__all__ = [
    "NAMES",
    "EarlierFile",
    "EarlierFiles",
    "Report",
    "Takeover",
    "earlier_file",
    "of_files",
    "read_folder",
    "site_text",
]
