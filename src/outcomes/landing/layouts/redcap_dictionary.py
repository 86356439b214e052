"""The data dictionary of a REDCap project: what each field is, on which form it stands, whether it identifies."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, field
from pathlib import Path

from outcomes.errors import StudyError
from outcomes.landing.refusal import listed

# Normal names of the dictionary's columns that are read, as downloaded from the project and as the API gives them.
_COLUMNS = {
    "name": ("variablefieldname", "fieldname"),
    "form": ("formname",),
    "type": ("fieldtype",),
    "label": ("fieldlabel",),
    "choices": ("choicescalculationsorsliderlabels", "selectchoicesorcalculations"),
    "validation": ("textvalidationtypeorshowslidernumber",),
    "minimum": ("textvalidationmin",),
    "maximum": ("textvalidationmax",),
    "identifier": ("identifier",),
}
_NEEDED = ("name", "form", "type", "identifier")
_IDENTIFYING_TYPES = ("email", "phone", "zipcode", "postalcode", "ssn", "mrn", "vmrn")
CHECKED = {"Checked": "1", "Unchecked": "0"}
_WORDS = {"yesno": {"1": "Yes", "0": "No"}, "truefalse": {"1": "True", "0": "False"}}


@dataclass(frozen=True)
class Field:
    """One field: its form, type, label, choices by code, bounds as written, and whether the project marks it as
    identifying."""

    name: str
    form: str
    type: str
    label: str = ""
    choices: dict[str, str] = field(default_factory=dict)
    minimum: str = ""
    maximum: str = ""
    is_identifier: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of an export that hold it; a checkbox has one a choice."""
        if self.type == "descriptive":
            return ()
        if self.type != "checkbox":
            return (self.name,)
        return tuple(f"{self.name}___{re.sub(r'[^a-z0-9]', '_', code.lower())}" for code in self.choices)


@dataclass(frozen=True)
class Dictionary:
    """All fields in the project's order; the first is the record's id."""

    fields: tuple[Field, ...]

    @property
    def record_id(self) -> str:
        """Name of the field that holds the record's id."""
        return self.fields[0].name

    @property
    def forms(self) -> tuple[str, ...]:
        """The project's forms in their order."""
        return tuple(dict.fromkeys(one.form for one in self.fields))

    @property
    def by_column(self) -> dict[str, Field]:
        """Fields by the columns of an export that hold them."""
        return {column: one for one in self.fields for column in one.columns}

    def columns_of(self, form: str) -> tuple[str, ...]:
        """Columns of an export that hold the fields of a form, the record's id aside."""
        return tuple(column for one in self.fields[1:] if one.form == form for column in one.columns)


def read_dictionary(path: Path) -> Dictionary:
    """Read a data dictionary (CSV).

    Raises
    ------
    StudyError
        If it is not there, or is none.
    """
    again = "download it in REDCap (Project Setup, Data Dictionary) as CSV, and name it in study.toml"
    try:
        text = path.read_text(encoding="utf-8-sig")
        rows = [row for row in csv.reader(text.splitlines(keepends=True)) if any(cell.strip() for cell in row)]
    except OSError as missing:
        raise StudyError(f"The data dictionary {path.name} cannot be read: {missing.strerror}", again) from None
    except (UnicodeDecodeError, csv.Error):
        raise StudyError(f"The data dictionary {path.name} is no CSV file in UTF-8", again) from None
    header = [re.sub(r"[^a-z]", "", name.lower()) for name in rows[0]] if rows else []
    places = {
        part: next((header.index(one) for one in names if one in header), None) for part, names in _COLUMNS.items()
    }
    if missing := [part for part in _NEEDED if places[part] is None]:
        raise StudyError(
            f"{path.name} is no data dictionary of REDCap: it does not say the fields' {listed(missing)}", again
        )

    def cell(row: list[str], part: str) -> str:
        place = places[part]
        return row[place].strip() if place is not None and place < len(row) else ""

    fields = tuple(
        Field(
            cell(row, "name"), cell(row, "form"), cell(row, "type").lower(), cell(row, "label"),
            _WORDS.get(cell(row, "type").lower()) or _choices(cell(row, "choices"), cell(row, "type").lower()),
            cell(row, "minimum"), cell(row, "maximum"),
            is_identifier=cell(row, "identifier").lower() == "y"
            or cell(row, "validation").lower().startswith(_IDENTIFYING_TYPES),
        )
        for row in rows[1:]
    )  # fmt: skip
    if not fields:
        raise StudyError(f"The data dictionary {path.name} has no fields", again)
    return Dictionary(fields)


def _choices(text: str, field_type: str) -> dict[str, str]:
    """Read `1, one | 2, two`; a label may hold commas."""
    if field_type not in ("radio", "dropdown", "checkbox"):
        return {}
    pairs = (choice.partition(",") for choice in text.split("|") if choice.strip())
    return {code.strip(): label.strip() for code, _, label in pairs}
