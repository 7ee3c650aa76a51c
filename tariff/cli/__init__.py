"""The `tariff` command: one function a command, in a module by what it is about. Results go to stdout, messages and progress to
stderr; counts come first, then money. Exit codes are part of the interface (see `errors`)."""

from tariff.cli.commands import app
from tariff.cli.endings import main, run

__all__ = ["app", "main", "run"]
