"""How every kernel is compiled, decided once: serial (Polars or the batch engine supplies the threads), without the GIL,
and cached on disk.

numba decides whether a cached kernel is still good by the time stamp of the one file that holds it, although a kernel
calls rule functions of other files. So the cache folder is named after the content of all their sources: a changed rule
can never run from an old cache, two installed versions never meet, and an install that is read-only works because the
folder belongs to the user."""

from __future__ import annotations

import hashlib
import os
import pickle
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import numba
from numba.core.caching import NullCache
from numba.extending import register_jitable

SOURCES: Final = (
    *("compiled.py", "kernels/*.py", "texts/*.py", "buffers.py", "columns.py", "facts.py", "money.py", "reasons.py"),
    *("rulepack/*book.py", "rulepack/best_practice_rows.py"),
)
"""Sources of the kernels, and of the constants that are compiled into them."""


def _caches() -> Iterator[Path]:
    """Where a cache may stand: where it is named; else the user's folder by the custom of the platform, or the temporary one."""
    if named := os.environ.get("NUMBA_CACHE_DIR"):
        yield Path(named)
        return
    if sys.platform == "win32":
        yield Path(os.environ.get("LOCALAPPDATA") or tempfile.gettempdir()) / "tariff"
        return
    if named := os.environ.get("XDG_CACHE_HOME"):
        yield Path(named) / "tariff"
    elif home := os.environ.get("HOME"):
        yield Path(home) / ".cache" / "tariff"
    yield Path(tempfile.gettempdir()) / f"tariff-{os.getuid()}"


def _cache_folder() -> Path | None:
    """A folder for this content of the kernels, or None where none can be written: then kernels compile in each process."""
    digest, package = hashlib.sha256(numba.__version__.encode()), Path(__file__).parent
    for pattern in SOURCES:
        for source in sorted(package.glob(pattern)):
            digest.update(source.read_bytes())
    folders = (cache / f"kernels-{digest.hexdigest()[:16]}" for cache in _caches())
    return next(filter(_is_ours_to_write, folders), None)


def _is_ours_to_write(folder: Path) -> bool:
    """Whether a folder can be written, by us alone: what stands there is run."""
    try:
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return sys.platform == "win32" or folder.stat().st_uid == os.getuid()
    except OSError:
        return False


_FOLDER = _cache_folder()
IS_COMPILED: bool = not numba.config.DISABLE_JIT  # type: ignore[attr-defined]
"""Whether kernels are compiled, or run as plain Python as coverage wants them (NUMBA_DISABLE_JIT=1)."""

_COMPILING: Final = threading.RLock()
_FAULTS_OF_A_CACHE: Final = (
    *(OSError, EOFError, pickle.UnpicklingError, AttributeError, ImportError, IndexError, KeyError, TypeError, ValueError),
    *(MemoryError, RuntimeError),
)
"""What reading or writing a cache may raise, garbled pickles included. A fault of the loop itself is met again without it."""


def compiled(function: Callable[..., Any]) -> Any:
    """A loop over lines, compiled at its first call and kept on disk."""
    config: Any = numba.config
    outer = config.CACHE_DIR
    config.CACHE_DIR = str(_FOLDER or "")
    try:
        loop: Any = numba.njit(nogil=True, cache=_FOLDER is not None, error_model="numpy")(function)
    finally:
        config.CACHE_DIR = outer
    if IS_COMPILED:
        loop.compile = _one_at_a_time(loop, loop.compile)
    return loop


def _one_at_a_time(loop: Any, compile_for: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Threads that come to a loop together would each compile it; so the second waits and finds it done. A cache that is damaged
    (a power cut leaves files without content) or cannot be written (a full disk) stops nobody: the loop does without it, and the
    next process begins it anew."""

    def compile_once(signature: Any) -> Any:
        with _COMPILING:
            try:
                return compile_for(signature)
            except _FAULTS_OF_A_CACHE:
                with suppress(OSError):
                    loop._cache.flush()
                loop._cache = NullCache()
                return compile_for(signature)

    return compile_once


def rule(function: Callable[..., Any]) -> Any:
    """A scalar rule function, compiled into the loops that call it and so cached with them; elsewhere it is plain Python. It has
    no way in of its own from Python or C: numba would compile one for each of scores of rules, and nobody would take it. Nor is a
    call made of it, however long it is: on the way through memory a price would lose a tenth of its time."""
    return register_jitable(nogil=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True, forceinline=True)(
        function
    )
