"""The clauses of the driver contract, one file a subject. Importing this package makes them known."""

from holdfast.testing.clause import CLAUSES
from holdfast.testing.clauses import (  # noqa: F401 - importing registers
    conduct,
    description,
    ending,
    evidence,
    library,
    life,
    login,
    members,
    recovery,
    secrecy,
    stream,
    unasked,
    writes,
)

ALL = tuple(CLAUSES)
"""Every clause."""

__all__ = ["ALL"]
