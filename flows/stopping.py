"""Ctrl-C: the work ends within seconds, whatever it is in the middle of; what was finished stays."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

GRACE_SECONDS = 1.5  # for the work to end by itself and to remove what it put into temporary folders
TELLING_SECONDS = 10.0  # for a server that hangs; one that lives or is dead takes milliseconds
EXIT_CODE = 130  # as shells give it for an interrupt
SENTENCE = "stopped by Ctrl-C; what was finished stays, and the next run goes on from there"
_SHOW_CURSOR = "\x1b[?25h"  # a spinner hides it

_asked = threading.Event()
_leaving = threading.Lock()
_tellings: list[Callable[[], None]] = []


def is_asked() -> bool:
    """Whether the work is to stop."""
    return _asked.is_set()


@contextmanager
def telling(tell: Callable[[], None]) -> Iterator[None]:
    """Have `tell` called where the work of a block is stopped by hand."""
    _tellings.append(tell)
    try:
        yield
    except BaseException:
        if not is_asked():  # else it is called when all else has ended, so that nothing contradicts it
            _tellings.remove(tell)
        raise
    _tellings.remove(tell)


@contextmanager
def stoppable() -> Iterator[None]:
    """Let Ctrl-C end the block within seconds: by an error that goes up, or else by leaving the process.

    The process ends with one line and exit code 130 in either case: a library may turn the interrupt into an error of
    its own, or wait for work that it has given away.
    """
    before = signal.signal(signal.SIGINT, _stop)
    try:
        yield
    except BaseException:
        if is_asked():
            _leave()
        raise
    finally:
        signal.signal(signal.SIGINT, before)


def _stop(_signal: int, _frame: FrameType | None) -> None:
    if not is_asked():
        _asked.set()
        logging.disable()  # what a library makes of the interrupt is not an error of the work
        timer = threading.Timer(GRACE_SECONDS, _leave)
        timer.daemon = True
        timer.start()
    raise KeyboardInterrupt


def _leave() -> None:
    """Tell whoever has to know, say it, and end the process; the second to come here waits for that."""
    _leaving.acquire()
    for tell in _tellings:
        teller = threading.Thread(target=_try, args=(tell,), daemon=True)
        teller.start()
        teller.join(TELLING_SECONDS)
    shown = _SHOW_CURSOR if sys.stderr.isatty() else ""
    print(f"{shown}outcomes: {SENTENCE}", file=sys.stderr)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(EXIT_CODE)


def _try(tell: Callable[[], None]) -> None:
    with suppress(Exception):  # a server that cannot be told holds nobody up
        tell()
