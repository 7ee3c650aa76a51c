"""What every command shares: the exit codes, what was typed, and how a person is spoken to."""

from __future__ import annotations

import sys
from contextlib import suppress
from contextvars import ContextVar

DONE, OVER_MAX_UNPRICED, WRONG_USAGE, RULES_UNUSABLE, DISAGREES, UNWRITABLE, OUR_FAULT, INTERRUPTED = 0, 1, 2, 4, 5, 6, 70, 130

typed: ContextVar[tuple[str, ...]] = ContextVar("typed", default=())
"""The arguments as typed, for the run card."""


def say(message: str) -> None:
    """To a person, beside the result: on stderr, at once. A log that is full stops no run."""
    with suppress(OSError):
        print(message, file=sys.stderr, flush=True)
