"""One contender in a process of its own: `python -m benchmarks.worker KIND FOLDER CONTENDER OUT`. It warms up, says so, and then
takes a turn for every line it reads, answering each with its seconds and the process's peak memory as JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent


def serve(kind: str, folder: Path, name: str, out: Path) -> None:
    """The worker's side. `kind` is one of `benchmarks.fields`."""
    from benchmarks.fields import field_of
    from benchmarks.measure import Turns, peak_memory

    field = field_of(kind)
    work = field.work(folder)
    source = work.sample(field.scaled[name]) if name in field.scaled else work.source
    price = field.contenders[name](work.pack())
    price_first = getattr(price, "get_ready", price)
    price_first(work.sample(1_000), out)
    if price_first is not price:
        price_first(source, out)
    turns = Turns(0)
    _answer({"ready": name})
    for _ in sys.stdin:
        turns.take(lambda: price(source, out))
        _answer({"wall": turns.wall[-1], "cpu": turns.cpu[-1], "peak": peak_memory()})


def _answer(message: dict[str, Any]) -> None:
    print(json.dumps(message), flush=True)


class Worker:
    """The caller's side. Use as a context."""

    def __init__(self, kind: str, folder: Path, name: str, out: Path) -> None:
        self.name, self.out = name, out
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", kind, str(folder), name, str(out)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Worker:
        self._heard()
        return self

    def __exit__(self, *_: object) -> None:
        self.process.communicate()

    def take_turn(self) -> dict[str, float]:
        """One turn: wall, cpu, peak."""
        assert self.process.stdin is not None
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        return self._heard()

    def _heard(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the contender '{self.name}' stopped, see its message above")
        return json.loads(line)


if __name__ == "__main__":
    serve(sys.argv[1], Path(sys.argv[2]), sys.argv[3], Path(sys.argv[4]))
