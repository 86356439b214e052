"""The error tree: every refusal of the package, with its exit code and a remedy.

Messages say what went wrong, where, how many, and what to try. They never carry a client's value or id.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

_CODE = Path(__file__).parent


def visible(text: str) -> str:
    """Write signs that cannot be seen as escapes: in a terminal they could hide words or give it orders.

    Control characters (but line ends and tabs), marks of writing direction, bytes of names that are not UTF-8.
    """
    return "".join(sign if sign.isprintable() or sign in "\n\t" else json.dumps(sign)[1:-1] for sign in text)


def place_of(failed: BaseException) -> str:
    """Name the kind and place of an error that nobody foresaw: its own text may quote data.

    The place is the last line of ours on the way to the error, which a library may have raised.
    """
    frames = traceback.extract_tb(failed.__traceback__)
    ours = [frame for frame in frames if _CODE in Path(frame.filename).parents]
    last = (ours or frames)[-1]
    place = Path(last.filename).relative_to(_CODE).as_posix() if ours else Path(last.filename).name
    return f"{type(failed).__name__} in {place}, line {last.lineno}"


class OutcomesError(Exception):
    """Base of all errors that are meant for the user.

    Parameters
    ----------
    message : str
        What went wrong, where and how often.
    hint : str, optional
        What to try.
    """

    exit_code = 5

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return visible(f"{self.message}\n  Try: {self.hint}" if self.hint else self.message)

    def __reduce__(self):
        # Prefect pickles exceptions; without this the hint would be lost.
        return type(self), (self.message, self.hint)


class DataRefused(OutcomesError):
    """The data were refused: a file, a batch or a whole inbox cannot be used as it is."""

    exit_code = 1


class UsageError(OutcomesError):
    """The command or function was called in a way that cannot work."""

    exit_code = 2


def text(value: object, what: str) -> str:
    """Return a text as it is.

    Parameters
    ----------
    value : object
    what : str
        What it is, with its article: "A formula".

    Raises
    ------
    UsageError
        If it is anything else, such as the None of a variable that is not set.
    """
    if isinstance(value, str):
        return value
    raise UsageError(f"{what} is a text in quotes, and this is a {type(value).__name__}")


def no_such(what: str, name: object, known: Iterable[object]) -> UsageError:
    """Make the error for a name that nothing has; the names must not come from data.

    Parameters
    ----------
    what : str
        What kind of thing was asked for, with its place: "fixed effect of the model".
    name : object
        What was asked for.
    known : iterable
        What there is.

    Examples
    --------
    >>> no_such("grouping factor of the model", "client", ["client_id", "therapist_id"]).hint
    "'client_id', or one of: client_id, therapist_id"
    """
    names = [str(one) for one in known]
    meant = "".join(f"{close!r}, or " for close in get_close_matches(str(name), names, n=1))
    return UsageError(f"There is no {what} {name!r}.", f"{meant}one of: {', '.join(names)}")


class StudyError(UsageError):
    """The study folder or its `study.toml` cannot be used as it is."""


class NothingLanded(UsageError):
    """No sessions are landed, so that there is nothing to build."""


class ChecksFailed(OutcomesError):
    """A fatal data-quality check failed; nothing was published."""

    exit_code = 3


class StudyBusy(OutcomesError):
    """Another run holds the study's writer lock."""

    exit_code = 4


class StorageError(OutcomesError):
    """A file of the study is damaged, missing or cannot be written."""

    exit_code = 5


class FitRefused(DataRefused):
    """A model cannot be fitted to these data without misleading; the message says why."""


class FormulaError(UsageError):
    """A model formula cannot be read or names a column that the data do not have."""


class StepFailed(OutcomesError):
    """A step failed in a way that nobody foresaw; the message gives the place and no data."""

    exit_code = 5
