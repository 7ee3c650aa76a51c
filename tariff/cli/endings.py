"""How a command begins and ends: its arguments in, its exit code out, and every error told so that a user can act on it."""

from __future__ import annotations

import codecs
import errno
import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from pathlib import Path
from typing import Final, TextIO

from cyclopts import CycloptsError

import tariff
from tariff.cli.commands import app
from tariff.cli.conversation import DONE, INTERRUPTED, OUR_FAULT, UNWRITABLE, WRONG_USAGE, say, typed
from tariff.errors import TariffError
from tariff.interruptions import InterruptionsPutOff, has_been_interrupted

_TRACE_WANTED: Final = "TARIFF_TRACEBACK"
_NO_ROOM: Final = frozenset(getattr(errno, name) for name in ("ENOSPC", "EDQUOT", "EFBIG", "EIO") if hasattr(errno, name))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code."""
    _open_what_is_closed()
    _print_anywhere()
    sys.exit(run(sys.argv[1:] if arguments is None else list(arguments)))


def _open_what_is_closed() -> None:
    """Where a scheduler starts a command without standard streams, the next files to be opened would have their numbers, and what
    is told would be written into them: nowhere is put there instead."""
    for number, mode in enumerate((os.O_RDONLY, os.O_WRONLY, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            nowhere = os.open(os.devnull, mode)
            if nowhere != number:
                os.dup2(nowhere, number)
                os.close(nowhere)
    sys.stdout = sys.stdout or open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115


_PLAIN: Final = str.maketrans({"−": "-", "─": "-", "·": "-", "£": "GBP ", "×": "x", "–": "-", "’": "'"})


def _print_anywhere() -> None:
    """Where the output cannot hold a character (a Windows log in cp1252), writes the nearest plain one instead of failing: a
    minus sign must never be lost."""

    def plain(error: UnicodeError) -> tuple[str, int]:
        assert isinstance(error, UnicodeEncodeError)
        refused = error.object[error.start : error.end].translate(_PLAIN)
        return refused.encode("ascii", "replace").decode("ascii"), error.end

    codecs.register_error("tariff-plain", plain)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="tariff-plain")


def run(arguments: Sequence[str]) -> int:
    """Run one command; its exit code. Errors a user can act on are told without a traceback."""
    typed.set(tuple(arguments))
    with _panics_unheard():
        try:
            code = app(list(arguments), exit_on_error=False, print_error=False)
            sys.stdout.flush()
        except SystemExit:
            raise
        except BaseException as error:  # noqa: BLE001 - the last resort, for Polars' panics too, which are no Exception
            return _told(error)
    return code if isinstance(code, int) else DONE


@contextmanager
def _panics_unheard() -> Iterator[None]:
    """A panic inside Polars is caught and told in our words; what Rust says of it on descriptor 2, before it can be caught, is a
    trace that may quote cells. So nothing but Python speaks there, unless the trace is asked for."""
    if os.environ.get(_TRACE_WANTED):
        yield
        return
    outer, kept, nowhere = sys.stderr, os.dup(2), os.open(os.devnull, os.O_WRONLY)
    if _writes_to_descriptor_2(outer):
        sys.stderr = os.fdopen(os.dup(kept), "w", buffering=1, encoding=outer.encoding, errors=outer.errors)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        with InterruptionsPutOff():
            with suppress(OSError):  # a full log stops no run
                sys.stderr.flush()
            os.dup2(kept, 2)
            if sys.stderr is not outer:
                with suppress(OSError):
                    sys.stderr.close()
                sys.stderr = outer
            os.close(kept)
            os.close(nowhere)


def _writes_to_descriptor_2(stream: TextIO) -> bool:
    try:
        return stream.fileno() == 2
    except (OSError, AttributeError):  # a stream that a program has put in its place, or none at all
        return False


def _told(error: BaseException) -> int:
    """Say what went wrong; the exit code. What is not expected is our fault."""
    match error:
        case _ if has_been_interrupted() and not isinstance(error, KeyboardInterrupt):  # a library has made another error of it
            return _told(KeyboardInterrupt())
        case TariffError():
            code, message = error.exit_code, f"tariff: {error}"
        case CycloptsError():
            hint = "`tariff --help` lists the commands, `tariff COMMAND --help` its options."
            code, message = WRONG_USAGE, f"tariff: {error}\n{hint}"
        case KeyboardInterrupt():
            told = f"; {error}" if str(error) else ""
            code, message = INTERRUPTED, f"tariff: interrupted; nothing was left half-written{told}"
        case BrokenPipeError():  # whoever read the result has seen enough; Python must not complain when it flushes at its end
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return DONE
        case OSError() if error.filename is None and error.errno in _NO_ROOM:  # files are told by name: this is what is printed
            told = f"The result cannot be printed: {error.strerror}. The files that were written are whole."
            code, message = UNWRITABLE, f"tariff: {told}"
        case OSError() if error.filename is not None and error.strerror:
            code, message = WRONG_USAGE, f"tariff: {error.filename} cannot be used: {error.strerror}"
        case ValueError() if "embedded null" in str(error):
            code, message = WRONG_USAGE, "tariff: a name of a file holds a NUL byte"
        case _:
            code, message = OUR_FAULT, _our_fault(error)
    say(message)
    return code


def _our_fault(error: BaseException) -> str:
    """What to report. The message of an unforeseen error may quote a cell of the activity, so it is shown on request only."""
    if os.environ.get(_TRACE_WANTED):
        return "".join(traceback.format_exception(error))
    package = Path(tariff.__file__).parent
    last = [frame for frame in traceback.extract_tb(error.__traceback__) if package in Path(frame.filename).parents][-1]
    return (
        f"tariff: a fault of the engine ({type(error).__name__} at {Path(last.filename).name}:{last.lineno}). Nothing was left "
        "half-written. Please report it; with TARIFF_TRACEBACK=1 set, the whole trace is shown, which may quote your data."
    )
