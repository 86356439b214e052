"""The lines of a study file that a look suggests; whatever was guessed says so on its line."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from json import dumps

from pydantic import ValidationError

from outcomes.contract import CONTRACT, Column, Kind, Role, ValueType
from outcomes.preview.columns import NO, NO_WORDS, YES, YES_WORDS, FoundType
from outcomes.preview.guesses import Guess, Mapping
from outcomes.preview.synonyms import meaning
from outcomes.study.settings import Source, StudySettings

GUESS = "# guess"
NEEDED = "needed, and not found"
UNREAD = "no number could be read: fill in its range, and take the # away"
_DEFAULT = Source(pattern="*")
_RANGES = (
    (0, 1), (1, 4), (0, 3), (0, 4), (1, 5), (1, 6), (1, 7), (0, 6), (0, 10), (1, 10), (0, 20), (0, 21), (0, 24),
    (0, 27), (0, 40), (8, 32), (0, 50), (0, 100), (0, 150), (0, 1000),
)  # fmt: skip


@dataclass(frozen=True)
class SourceDraft:
    """The part of the study file for one kind of file.

    Attributes
    ----------
    mapping : Mapping
    pattern : str
        Of file names.
    identifying : dict of str to tuple of str
        Columns that must not be read, with why.
    source_lines : tuple of str
        How the file is laid out.
    codes : dict of str to dict of str to str
        What codes stand for, by the contract's column, where the layout says so.
    """

    mapping: Mapping
    pattern: str
    identifying: dict[str, tuple[str, ...]]
    source_lines: tuple[str, ...] = ()
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def guesses(self) -> tuple[Guess, ...]:
        """The columns that would be read."""
        return tuple(guess for guess in self.mapping.guesses if guess.found.name not in self.identifying)

    @property
    def dropped(self) -> tuple[str, ...]:
        """The columns that would not: what identifies, and what nothing is known of."""
        places = {column.name: column.place for column in self.mapping.unknown}
        places |= {guess.found.name: guess.found.place for guess in self.mapping.guesses}
        unknown = {column.name for column in self.mapping.unknown}
        return tuple(sorted({*self.identifying, *unknown}, key=lambda name: places.get(name, -1)))


def draft_lines(drafts: Sequence[SourceDraft], name: str) -> list[str]:
    """Write a study file for these sources.

    Parameters
    ----------
    drafts : sequence of SourceDraft
        One a kind of file.
    name : str
        Of the study.
    """
    lines = ["[study]", f"name = {_quoted(name)}", ""]
    if all(draft.mapping.kind is not Kind.SESSIONS for draft in drafts):
        lines += ["# No sessions were found; a study needs them.", *_without_sessions(), ""]
    for draft in drafts:
        lines += [*_source(draft), ""]
    return [*lines, *_scales(drafts)]


def settings_of(lines: list[str]) -> StudySettings | None:
    """Read the lines as a study file; None where names of the file's columns cannot stand in one."""
    try:
        return StudySettings.model_validate(tomllib.loads("\n".join(lines)))
    except ValidationError:
        return None


def pattern_of(names: Sequence[str], others: Sequence[str] = ()) -> str:
    """Return a pattern that these file names fit and the others do not: their longest common word, or a whole name.

    >>> pattern_of(["visits_2024-01.csv", "visits_2024-02.csv"], ["clients.csv"])
    '*visits*'
    """
    words = [set(re.findall(r"[^\W\d_]{3,}", _stem(name).lower())) for name in names]
    undated = re.sub(r"(?<=[\W_])\d[\W\d_]*$", "", _stem(names[0]).lower()) if names else ""
    common = sorted(set.intersection(*words) if words else set(), key=len, reverse=True)
    for word in (*common, *([undated] if re.search(r"[^\W\d_]{3,}", undated) else [])):
        pattern = f"*{re.sub(r'[][*?]', '?', word)}*"
        if not any(fnmatchcase(other.lower(), pattern) for other in others):
            return pattern
    return f"*{re.sub(r'[][*?]', '?', _stem(names[0]).lower())}*" if names else "*"


def _stem(name: str) -> str:
    return name.split(".")[0]


def _without_sessions() -> list[str]:
    return ["[sources.sessions]", 'pattern = "*sessions*"']


def _source(draft: SourceDraft) -> list[str]:
    kind, guesses = draft.mapping.kind, draft.guesses
    lines = [
        f"[sources.{kind}]",
        f"pattern = {dumps(draft.pattern, ensure_ascii=False)}  {GUESS}: from the file's name",
    ]
    lines += [f"{line}  {GUESS}" for line in draft.source_lines]
    if kind is Kind.SESSIONS:
        order, why = _order(guesses)
        lines.append(f'order = "{order}"  {GUESS}: {why}')
    lines += _forms(guesses)
    lines += _dropped(draft)
    lines.append(f"[sources.{kind}.columns]")
    for guess in guesses:
        fault = f"; {guess.found.fault}" if guess.found.fault else ""
        lines.append(f"{guess.column} = {_quoted(guess.found.name)}  {GUESS}: {guess.why}{fault}")
    have = {guess.column for guess in guesses}
    for column in CONTRACT[kind]:
        says_how_it_went = column.role is Role.OUTCOME and column.type is ValueType.CODE
        if column.name not in have and (column.required or column.is_central or says_how_it_went):
            need = NEEDED if column.required else "not found; questions about it cannot be answered"
            lines.append(f'# {column.name} = ""  # {need}')
    return lines + _codes(kind, guesses, draft.codes)


def _order(guesses: tuple[Guess, ...]) -> tuple[str, str]:
    have = {guess.column for guess in guesses}
    if "session_number" in have:
        return "number", "there is a number of sessions"
    if "session_date" in have:
        return "date", "there is a date of sessions"
    return "row", "neither numbers nor dates of sessions were found; the rows' order is taken"


def _forms(guesses: tuple[Guess, ...]) -> list[str]:
    lines = []
    forms = Counter(guess.found.date_format for guess in guesses if guess.found.date_format)
    if forms and (form := forms.most_common(1)[0][0]) != _DEFAULT.date_format:
        doubt = "; day and month may be the other way round" if any(g.found.is_ambiguous for g in guesses) else ""
        mixed = any(guess.found.second_format for guess in guesses)
        lines.append(f"date_format = {dumps(form)}  {GUESS}: {'most' if mixed else 'all'} dates fit{doubt}")
    if any(guess.found.decimal_mark == "," for guess in guesses):
        lines.append(f'decimal_mark = ","  {GUESS}: numbers are written so')
    stand_ins = sorted({code for guess in guesses if _is_scale(guess) for code in guess.found.stand_ins})
    if stand_ins:
        codes = ", ".join(dumps(code) for code in (*_DEFAULT.missing, *stand_ins))
        lines.append(f"missing = [{codes}]  {GUESS}: {', '.join(stand_ins)} lie far off the other numbers")
    said = {
        code.lower() for guess in guesses if _column(guess).type is ValueType.YES_NO for code, _ in guess.found.codes
    }
    for name, words, usual in (("yes", YES_WORDS, YES), ("no", NO_WORDS, NO)):
        if more := sorted((said & words) - usual):
            lines.append(
                f"{name} = {dumps([*getattr(_DEFAULT, name), *more], ensure_ascii=False)}  {GUESS}: words seen"
            )
    return lines


def _dropped(draft: SourceDraft) -> list[str]:
    if not draft.dropped:
        return []
    lines = ["drop = ["]
    for name in draft.dropped:
        kinds = draft.identifying.get(name)
        why = f"identifies: {', '.join(kinds)}" if kinds else "not known; declare it in [scales] to keep it"
        lines.append(f"    {_quoted(name)},  {GUESS}: {why}")
    return [*lines, "]"]


def _codes(kind: Kind, guesses: tuple[Guess, ...], known: dict[str, dict[str, str]]) -> list[str]:
    lines = []
    for guess in guesses:
        column = _column(guess)
        seen = [code for code, _ in guess.found.codes]
        strange = [
            code for code in dict.fromkeys([*seen, *known.get(column.name, {})]) if code.lower() not in column.codes
        ]
        if column.type is not ValueType.CODE or not strange:
            continue
        lines.append(f"[sources.{kind}.codes.{column.name}]")
        for code in strange:
            label = guess.found.said.labels.get(code, "")
            meant = known.get(column.name, {}).get(code) or meaning(code, column) or meaning(label, column)
            said = f": {label!r} in the data dictionary" if label else ""
            written = _quoted(code)
            if meant:
                lines.append(f'{written} = "{meant}"  {GUESS}{said}')
            else:
                choice = f"{said.removeprefix(': ')}; one of: " if said else "one of: "
                lines.append(f'# {written} = ""  # {choice}{", ".join(column.codes)}')
    return lines


def _scales(drafts: Sequence[SourceDraft]) -> list[str]:
    found: dict[str, tuple[Column, list[float]]] = {}
    declared: dict[str, tuple[float, float]] = {}
    for draft in drafts:
        for guess in draft.guesses:
            if _is_scale(guess):
                said = guess.found.said
                if said.low is not None and said.high is not None:
                    declared[guess.column] = (said.low, said.high)
                ends = (guess.found.minimum, guess.found.maximum)
                found[guess.column] = (_column(guess), [end for end in ends if end is not None])
    lines = []
    for name, (column, ends) in found.items():
        partners = [
            one[1] for other, one in found.items() if column.same_metric_as == other or one[0].same_metric_as == name
        ]
        seen = [*ends, *(end for of_partner in partners for end in of_partner)]
        if said := declared.get(name) or declared.get(column.same_metric_as):
            (bottom, top), why = said, (": so in the data dictionary",) * 2
        elif seen:
            bottom, top = scale_range(min(seen), max(seen))
            why = f": seen {min(ends or seen):g} to {max(ends or seen):g}", ""
        else:
            lines += [f"# [scales.{name}]  # {UNREAD}", "# minimum =", "# maximum =", '# rater = "client"', ""]
            continue
        lines += [
            f"[scales.{name}]", f"minimum = {bottom:g}  {GUESS}{why[0]}", f"maximum = {top:g}  {GUESS}{why[1]}",
            f'rater = "client"  {GUESS}: say who rated', "",
        ]  # fmt: skip
    return lines


def scale_range(low: float, high: float) -> tuple[int, int]:
    """Return the narrowest usual range that holds what was seen.

    >>> scale_range(2, 9), scale_range(1, 5), scale_range(0, 87)
    ((1, 10), (1, 5), (0, 100))
    """
    fitting = [bounds for bounds in _RANGES if bounds[0] <= low and high <= bounds[1]]
    if not fitting:
        return int(low // 1), int(-(-high // 1)) + (low == high)
    return min(fitting, key=lambda bounds: bounds[1] - bounds[0])


def _quoted(value: str | list[str]) -> str:
    """Write a text or a list of texts as TOML."""
    return dumps(value, ensure_ascii=False)


def _column(guess: Guess) -> Column:
    return next(column for columns in CONTRACT.values() for column in columns if column.name == guess.column)


def _is_scale(guess: Guess) -> bool:
    return _column(guess).is_rating and guess.found.type is not FoundType.EMPTY
