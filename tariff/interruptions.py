"""Interruptions (Ctrl-C, a polite end): how they end the program, and how they are put off while something is done
that must not be left half done."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any, Final

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
_INTERRUPTED: Final = 130
_SOON: Final = 0.05
_arrived: Final[list[int]] = []


@contextmanager
def ended_by_interruptions() -> Iterator[None]:
    """The whole of a program, from before its first import that takes time: an interruption is a KeyboardInterrupt, whichever
    signal brings it, and one that nothing else has told ends the program with its exit code. What comes later, while Python takes
    itself down, comes too late to be heeded. A signal that the program was started to ignore is ignored."""
    for one in _SIGNALS:
        if signal.getsignal(one) is not signal.SIG_IGN:
            signal.signal(one, _interrupt)
    sys.unraisablehook = _unraisable
    try:
        yield
    except KeyboardInterrupt:
        print("tariff: interrupted; nothing was left half-written", file=sys.stderr)
        sys.exit(_INTERRUPTED)
    finally:
        for one in _SIGNALS:
            signal.signal(one, signal.SIG_IGN)
        exec("")  # Python ends by the signal where text that it executed was interrupted, unless it executes another


def has_been_interrupted() -> bool:
    """Whether an interruption has arrived in this program: a library may make another error of it than KeyboardInterrupt."""
    return bool(_arrived)


def _interrupt(number: int, _: FrameType | None) -> None:
    _arrived.append(number)
    raise KeyboardInterrupt


def _unraisable(unraisable: Any) -> None:
    """An interruption that arrives where Python can only ignore it (a finaliser, a callback from C) arrives again soon."""
    if issubclass(unraisable.exc_type, KeyboardInterrupt):
        threading.Timer(_SOON, signal.raise_signal, (_arrived[-1] if _arrived else signal.SIGINT,)).start()
    else:
        sys.__unraisablehook__(unraisable)


class InterruptionsPutOff:
    """Within it no interruption arrives; one that came meanwhile arrives when it is left, or `let_in` is called.

    Only Python's main thread is ever interrupted: in any other it does nothing."""

    def __init__(self) -> None:
        self._handlers: dict[int, Any] = {}
        self._came: list[int] = []
        self._puts_off = False

    def __enter__(self) -> InterruptionsPutOff:
        if threading.current_thread() is threading.main_thread():
            self._puts_off = True
            try:
                for one in _SIGNALS:
                    handler = signal.getsignal(one)
                    if handler is not None:  # None: set by another language, which could not be put back
                        self._handlers[one] = handler
                        signal.signal(one, self._note)
            except BaseException:
                self._put_back()
                raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.let_in()

    def let_in(self) -> None:
        """What came while interruptions were put off arrives now, and from now on they arrive at once."""
        if self._puts_off:
            self._put_back()
        while self._came:
            signal.raise_signal(self._came.pop())

    def _note(self, number: int, _: FrameType | None) -> None:
        if self._puts_off:
            self._came.append(number)
        else:  # this handler is still to be put back, or an interruption arrived before it could be
            signal.signal(number, self._handlers[number])
            signal.raise_signal(number)

    def _put_back(self) -> None:
        self._puts_off = False
        for one, handler in self._handlers.items():
            signal.signal(one, handler)
