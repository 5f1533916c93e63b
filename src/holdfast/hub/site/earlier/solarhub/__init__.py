"""The configuration of the earlier battery program (solarhub), as a site.

Two ways in: `of_config` takes its parsed ``config.yaml``, `of_rows` the rows of its database. Both are pure, never
raise, and guess nothing: what two places say differently is left out of the site and told instead. Source for tables,
keys and faults: JK fact sheet sections 13 to 15.
"""

from holdfast.hub.site.earlier.note import Note
from holdfast.hub.site.earlier.solarhub.config import of_config
from holdfast.hub.site.earlier.solarhub.rows import REQUIRED, TABLES, of_rows
from holdfast.hub.site.earlier.solarhub.takeover import Takeover

__all__ = ["REQUIRED", "TABLES", "Note", "Takeover", "of_config", "of_rows"]
