"""Ctrl-C: the work ends within seconds, whatever it is in the middle of; what was finished stays."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from types import FrameType

GRACE_SECONDS = 1.5  # for the work to end by itself and to remove what it put into temporary folders
TELLING_SECONDS = 10.0  # for a server that hangs; one that lives or is dead takes milliseconds
FLUSH_SECONDS = 0.2  # for who reads the standard output; a pager reads no more
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
def telling(tell: Callable[[], object]) -> Iterator[None]:
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
    its own, wait for work that it has given away, or compute without letting Python hear of it.
    """
    import logging  # not before: the command line hears of Ctrl-C first (`leave_at_once`)

    heard, written = os.pipe()
    os.set_blocking(written, False)
    threading.Thread(target=_listen, args=(heard,), daemon=True, name="stopping").start()
    handler, descriptor = signal.getsignal(signal.SIGINT), signal.set_wakeup_fd(written, warn_on_full_buffer=False)
    try:
        signal.signal(signal.SIGINT, partial(_stop, logging.disable))
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if is_asked():
            _leave()
        signal.set_wakeup_fd(descriptor)
        os.close(written)


@contextmanager
def until_stopped() -> Iterator[None]:
    """Let Ctrl-C be the ordinary end of the block: that of a server."""
    handler, descriptor = signal.signal(signal.SIGINT, signal.default_int_handler), signal.set_wakeup_fd(-1)
    try:
        with suppress(KeyboardInterrupt):
            yield
    finally:
        signal.set_wakeup_fd(descriptor)
        signal.signal(signal.SIGINT, handler)


def leave_at_once(_signal: int, _frame: FrameType | None) -> None:
    """Handle Ctrl-C where nothing is begun that has to be ended."""
    _say_and_exit()


def _stop(hush: Callable[[], None], _signal: int, _frame: FrameType | None) -> None:
    """Raise the interrupt once: a second one would hit what the first one makes end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _asked.set()
    hush()  # what libraries make of the interrupt is not an error of the work
    sys.unraisablehook = threading.excepthook = lambda _: None
    raise KeyboardInterrupt


def _listen(heard: int) -> None:
    """Hear of Ctrl-C even where the main thread is in a library and cannot; leave if the block does not end then."""
    with open(heard, "rb", buffering=0) as signals:
        while number := signals.read(1):
            if number[0] == signal.SIGINT:
                _asked.set()
                time.sleep(GRACE_SECONDS)
                _leave()


def _leave() -> None:
    """Tell whoever has to know, say it, and end the process; the second to come here waits for that."""
    _leaving.acquire()
    for tell in dict.fromkeys(_tellings):
        _try(tell, TELLING_SECONDS)
    _try(sys.stdout.flush, FLUSH_SECONDS)
    _say_and_exit()


def _try(call: Callable[[], object], seconds: float) -> None:
    """Call it, and hold nobody up where it fails or hangs."""

    def trying() -> None:
        with suppress(Exception):
            call()

    trier = threading.Thread(target=trying, daemon=True)
    trier.start()
    trier.join(seconds)


def _say_and_exit() -> None:
    with suppress(OSError):  # the terminal is gone
        shown = _SHOW_CURSOR if os.isatty(2) else ""
        os.write(2, f"{shown}outcomes: {SENTENCE}\n".encode())
    os._exit(EXIT_CODE)
