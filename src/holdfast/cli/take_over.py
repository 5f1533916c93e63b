"""``--take-over`` with or without a number of seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from typer.core import TyperCommand

from holdfast.cli.values import is_number

if TYPE_CHECKING:
    from typer._click import Context

OPTION: Final = "--take-over"
TAKE_OVER_S: Final = 3600
"""How long a person keeps a plug, unless said (design: commands out)."""


class TakingOver(TyperCommand):
    """A command whose ``--take-over`` means `TAKE_OVER_S` where no number follows."""

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        """See `TyperCommand`."""
        return super().parse_args(ctx, with_seconds(args))


def with_seconds(args: list[str]) -> list[str]:
    """The arguments, with the seconds said where they were not."""
    told = []
    for index, word in enumerate(args):
        has_number = index + 1 < len(args) and is_number(args[index + 1])
        told.append(f"{OPTION}={TAKE_OVER_S}" if word == OPTION and not has_number else word)
    return told
