"""How far a long run is, on stderr: a bar with rate and time left on a terminal; in a log, now and then a line."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from tariff.cli.conversation import say

if TYPE_CHECKING:
    from rich.console import Console

Told = Callable[[int, int], None]
"""Is told the lines that are done and how many there are."""

_SECONDS_BETWEEN_LINES: Final = 30.0


@contextmanager
def progress_shown() -> Iterator[Told]:
    """What to tell of a run that goes on; the bar goes when the run ends."""
    if sys.stderr.isatty():
        from rich.console import Console

        with bar(Console(stderr=True)) as told:
            yield told
    else:
        yield LogLines(say)


class LogLines:
    """A line every half minute with lines done, rate and time left; a run that is shorter says nothing."""

    def __init__(self, say_line: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._say, self._clock = say_line, clock
        self._started = self._last = clock()
        self._at_first: int | None = None

    def __call__(self, done: int, of: int) -> None:
        """A run that is resumed has lines done at first: its rate is that of the lines since."""
        now = self._clock()
        if self._at_first is None:
            self._at_first, self._started = done, now
        elif now - self._last >= _SECONDS_BETWEEN_LINES:
            self._last = now
            self._say(line_of_log(done, of, (done - self._at_first) / max(now - self._started, 1e-9)))


def line_of_log(done: int, of: int, rate: float) -> str:
    """Lines done, lines a second, seconds left."""
    left = f", about {duration((of - done) / rate)} left" if rate > 0 else ""
    return f"{done:,} of {of:,} lines, {rate:,.0f} a second{left}"


def duration(seconds: float) -> str:
    """Seconds in words, no finer than is worth telling."""
    whole = max(round(seconds), 0)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


@contextmanager
def bar(console: Console) -> Iterator[Told]:
    """A bar on a console."""
    from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(f"{task.speed:,.0f} a second" if task.speed else "")

    count = TextColumn("{task.completed:,} of {task.total:,} lines")
    with Progress(BarColumn(), count, Rate(), TimeRemainingColumn(), console=console, transient=True) as shown:
        task = shown.add_task("pricing", total=None, visible=False)
        yield lambda done, of: shown.update(task, completed=done, total=of, visible=True)
