"""The commands, a file for each group. Typer reads their annotations when the program is put together."""
