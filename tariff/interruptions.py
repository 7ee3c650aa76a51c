"""Interruptions (Ctrl-C, a polite end) put off while something is done that must not be left half done."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Final

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


class InterruptionsPutOff:
    """Within it no interruption arrives; one that came meanwhile arrives when it is left, or `let_in` is called.

    Only Python's main thread is ever interrupted: in any other it does nothing."""

    def __init__(self) -> None:
        self._handlers: dict[signal.Signals, Any] = {}
        self._came: list[int] = []

    def __enter__(self) -> InterruptionsPutOff:
        if threading.current_thread() is threading.main_thread():
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
        self._put_back()
        while self._came:
            signal.raise_signal(self._came.pop())

    def _note(self, number: int, _: FrameType | None) -> None:
        self._came.append(number)

    def _put_back(self) -> None:
        while self._handlers:
            one, handler = self._handlers.popitem()
            signal.signal(one, handler)
