"""How `study.toml` says what the files of one kind look like."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from outcomes.study.tables.base import Part
from outcomes.study.tables.layouts import (
    CodedOptions,
    Encoding,
    FhirOptions,
    IaptOptions,
    ItemsOptions,
    LayoutName,
    QualtricsOptions,
    RedcapOptions,
)

_WITH_OPTIONS = (
    LayoutName.REDCAP, LayoutName.QUALTRICS, LayoutName.FHIR, LayoutName.IAPT, LayoutName.ITEMS, LayoutName.CODED,
)  # fmt: skip


class Source(Part):
    """How files of one kind look: their names, their column names, what to leave out."""

    pattern: str = Field(
        description="Names of the files of this kind; `*` stands for anything, letter case does not matter",
        examples=['"*sessions*"'],
    )
    format: LayoutName = Field(
        LayoutName.TABLE,
        description="How rows are laid out; `table`: as they are, and the name's ending tells the format",
        examples=['"redcap"'],
    )
    encoding: Encoding = Field(
        Encoding.UTF_8, description="How a text file's bytes stand for letters", examples=['"windows-1252"']
    )
    sheet: str = Field("", description="Sheet of a workbook; needed where it has several", examples=['"Sitzungen"'])
    redcap: RedcapOptions = Field(
        RedcapOptions(),
        description="Options of a REDCap export; needs `format = 'redcap'`",
        examples=['{ dictionary = "dictionary.csv", instrument = "session" }'],
    )
    qualtrics: QualtricsOptions = Field(
        QualtricsOptions(),
        description="Options of a Qualtrics export; needs `format = 'qualtrics'`",
        examples=["{ finished_only = true }"],
    )
    fhir: FhirOptions = Field(
        FhirOptions(),
        description="Options of a FHIR export; needs `format = 'fhir'`",
        examples=['{ form = "session-rating" }'],
    )
    iapt: IaptOptions = Field(
        IaptOptions(),
        description="Options of an NHS Talking Therapies extract; needs `format = 'iapt'`",
        examples=['{ appointments = ["02", "03"] }'],
    )
    items: ItemsOptions = Field(
        ItemsOptions(),
        description="Options of a file with one row an answer; needs `format = 'items'`",
        examples=['{ item = "question", answer = "response" }'],
    )
    coded: CodedOptions = Field(
        CodedOptions(),
        description="Options of coded sessions, one row an utterance and coder; needs `format = 'coded'`",
        examples=['{ directive = ["ADW", "CO"], not_directive = ["OQ", "RE"] }'],
    )
    columns: dict[str, str] = Field(
        default_factory=dict,
        description="Contract name = name of the column in your file, where they differ",
        examples=['{ satisfaction = "srs_total" }'],
    )
    constants: dict[str, str] = Field(
        default_factory=dict,
        description="Contract name = one value for every row, where the file has no such column",
        examples=['{ practice_id = "north" }'],
    )
    drop: tuple[str, ...] = Field(
        (),
        description="Columns of the file that are neither read nor searched nor kept",
        examples=['["comment", "surname"]'],
    )
    date_format: str = Field(
        "%Y-%m-%d", description="How dates are written, in the signs of strftime", examples=['"%d.%m.%Y"']
    )
    missing: tuple[str, ...] = Field(
        ("", "NA", "N/A", "NULL", "-99"),
        description="Texts that stand for a missing value; letter case does not matter, and -99 also means -99.0",
        examples=['["", "NA", "999"]'],
    )
    yes: tuple[str, ...] = Field(
        ("1", "true", "yes", "y", "t"),
        description="Words for yes; letter case does not matter",
        examples=['["1", "ja"]'],
    )
    no: tuple[str, ...] = Field(
        ("0", "false", "no", "n", "f"),
        description="Words for no; letter case does not matter",
        examples=['["0", "nein"]'],
    )
    decimal_mark: Literal[".", ","] = Field(".", description="Sign before the decimals", examples=['","'])
    thousands_mark: Literal["", ".", ",", "'", " "] = Field(
        "", description="Sign between groups of three digits; empty: none", examples=['"."']
    )
    codes: dict[str, dict[str, str]] = Field(
        default_factory=dict,
        description="For a column with a closed list: code in your file = contract code",
        examples=['{ ending = { "46" = "agreed" } }'],
    )
    order: Literal["number", "date", "row"] = Field(
        "number",
        description="What orders a client's sessions: a number, a date, or the rows of the file",
        examples=['"date"'],
    )

    @model_validator(mode="after")
    def _options_agree(self) -> Source:
        for layout in _WITH_OPTIONS:
            if layout.value in self.model_fields_set and self.format is not layout:
                raise ValueError(f'options of {layout} need format = "{layout}"')
        if self.format is LayoutName.REDCAP and not self.redcap.dictionary:
            raise ValueError(
                "a REDCap export is read with its data dictionary: download it as CSV, put it beside study.toml and "
                'name it: redcap = { dictionary = "dictionary.csv" }'
            )
        if self.format is LayoutName.CODED and not (self.coded.directive and self.coded.not_directive):
            raise ValueError(
                "coded sessions need both directive and not_directive codes: coded = { directive = [...], "
                "not_directive = [...] }"
            )
        if twice := {one for one in self.coded.known if self.coded.known.count(one) > 1}:
            raise ValueError(f"a code has one meaning; these have two: {', '.join(sorted(twice))}")
        if self.thousands_mark == self.decimal_mark:
            raise ValueError("decimal_mark and thousands_mark cannot be the same")
        return self

    @property
    def companions(self) -> tuple[Path, ...]:
        """Files that are read beside an export of this source, such as its data dictionary."""
        return tuple(Path(one) for one in (self.redcap.dictionary, self.fhir.questionnaire) if one)
