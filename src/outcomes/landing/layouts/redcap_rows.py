"""Rows of a REDCap export: which are the record's own, which repeat, and what a repeating row takes from its record."""

from __future__ import annotations

import re
from dataclasses import dataclass

import polars as pl

from outcomes.contract import Refusal
from outcomes.landing.layouts.redcap_dictionary import CHECKED, Dictionary, Field
from outcomes.landing.refusal import FileRefused, counted, listed

EVENT, FORM, INSTANCE = "redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance"
_CHOICE_TYPES = ("radio", "dropdown", "yesno", "truefalse")


@dataclass(frozen=True)
class Rows:
    """An export's rows with its dictionary.

    Attributes
    ----------
    frame : DataFrame of String
        All rows under the export's names, codes instead of labels, forms by their names.
    """

    frame: pl.DataFrame
    dictionary: Dictionary

    def has(self, column: str) -> bool:
        """Say whether the export has a column."""
        return column in self.frame.columns

    @property
    def form(self) -> pl.Expr:
        """The form that repeats in a row; '' in the record's own rows and in repeating events."""
        return pl.col(FORM) if self.has(FORM) else pl.lit("")

    @property
    def event(self) -> pl.Expr:
        """The event of a row; '' where the project has none."""
        return pl.col(EVENT) if self.has(EVENT) else pl.lit("")

    @property
    def is_own(self) -> pl.Expr:
        """Whether a row is the record's own: nothing repeats in it."""
        instance = pl.col(INSTANCE) if self.has(INSTANCE) else pl.lit("")
        return (self.form == "") & (instance == "")

    @property
    def repeating_forms(self) -> frozenset[str]:
        """Forms that repeat in this export."""
        return frozenset(self.frame[FORM].unique().to_list()) - {""} if self.has(FORM) else frozenset()

    def columns_of(self, form: str) -> list[str]:
        """Columns of the export that hold a form's fields."""
        return [column for column in self.dictionary.columns_of(form) if self.has(column)]

    def is_on_row(self, form: str) -> pl.Expr:
        """Whether a form belongs to a row: it repeats there, or its state of completion says that it was offered."""
        complete = f"{form}_complete"
        offered = pl.col(complete) != "" if self.has(complete) else self.is_filled(form)
        return pl.when(self.form != "").then(self.form == form).otherwise(offered)

    def is_filled(self, form: str) -> pl.Expr:
        """Whether anything stands in a form; a box that is not ticked is nothing."""
        columns = self.columns_of(form)
        if not columns:
            return pl.lit(False)
        by_column = self.dictionary.by_column
        return pl.any_horizontal(
            ~pl.col(column).is_in(["", "0"] if by_column[column].type == "checkbox" else [""]) for column in columns
        )

    def joined(
        self, columns: list[str], record_event: str = "", chosen: pl.Expr | None = None
    ) -> tuple[pl.DataFrame, list[str]]:
        """Give every row the values of its record that stand in the record's own rows.

        Parameters
        ----------
        columns : list of str
            Columns that are to be filled.
        record_event : str
            The event whose rows count as the record's own; '' for all.
        chosen : Expr, optional
            The rows for which it matters that the own rows agree; all where there is none.

        Returns
        -------
        tuple of DataFrame and list of str
            All rows in their order, and the columns in which the own rows of some record differ: these stay empty.
        """
        record, by_column = self.dictionary.record_id, self.dictionary.by_column
        own = self.frame.filter(self.is_own & (self.event == record_event if record_event else pl.lit(True)))
        fields = [column for column in columns if column in by_column and column != record]
        given = own.group_by(record).agg(*(pl.col(c).filter(pl.col(c) != "").unique().alias(f"\0{c}") for c in fields))
        frame = self.frame.join(given, on=record, how="left", maintain_order="left")
        needs = pl.lit(True) if chosen is None else chosen
        is_unclear = [
            (needs & ~self.is_on_row(by_column[c].form) & (pl.col(f"\0{c}").list.len() > 1)).any().alias(c)
            for c in fields
        ]
        differing = [c for c, is_one in frame.select(is_unclear).to_dicts()[0].items() if is_one] if fields else []
        values = []
        for c in fields:
            of_record = (
                pl.when(pl.col(f"\0{c}").list.len() == 1).then(pl.col(f"\0{c}").list.first()).otherwise(pl.lit(""))
            )
            values.append(
                pl.when(self.is_on_row(by_column[c].form)).then(pl.col(c)).otherwise(of_record).fill_null("").alias(c)
            )
        return frame.with_columns(values).drop([f"\0{c}" for c in fields]), differing


def rows_of(frame: pl.DataFrame, dictionary: Dictionary, missing: tuple[str, ...]) -> Rows:
    """Take up an export: check that the dictionary is its own, and put codes where it has labels.

    Raises
    ------
    FileRefused
        If dictionary and export do not belong together, or the export has codes in some fields and labels in others.
    """
    known = [column for column in frame.columns if column in dictionary.by_column]
    if dictionary.record_id not in frame.columns or len(known) < 2:
        raise FileRefused(
            Refusal.MISSING_COLUMNS,
            f"{counted(len(known), 'column')} of the export are fields of the data dictionary; the record's id "
            f"{dictionary.record_id!r} {'is' if dictionary.record_id in frame.columns else 'is not'} among its columns",
            "export with the fields' names in the header (CSV / Microsoft Excel, raw data), and give the data "
            "dictionary of the same project",
        )
    frame = frame.with_columns(pl.all().str.strip_chars())
    labelled = _labelled_columns(frame, dictionary, {code.strip() for code in missing})
    frame = frame.with_columns(pl.col(c).replace(to_code) for c, to_code in labelled.items())
    if FORM in frame.columns:
        frame = frame.with_columns(pl.col(FORM).replace(_form_names(frame[FORM], dictionary)))
    return Rows(frame, dictionary)


def _labelled_columns(frame: pl.DataFrame, dictionary: Dictionary, missing: set[str]) -> dict[str, dict[str, str]]:
    """Tell by all fields with choices together whether the export has labels; return their codes by column."""
    codes, labels, to_code = [], [], {}
    for column in frame.columns:
        one = dictionary.by_column.get(column)
        meanings = _codes_by_label(one) if one else {}
        values = set(frame[column].unique().to_list()) - {""} - missing if meanings else set()
        if not values:
            continue
        if values <= set(meanings) and not values <= set(meanings.values()):
            labels.append(column)
        elif values <= set(meanings.values()) and not values <= set(meanings):
            codes.append(column)
        to_code[column] = meanings
    if codes and labels:
        raise FileRefused(
            Refusal.UNREADABLE,
            f"the export has codes in {counted(len(codes), 'field')} ({listed(codes, 3)}) and labels in "
            f"{counted(len(labels), 'field')} ({listed(labels, 3)})",
            "export all of it as raw data",
        )
    return to_code if labels else {}


def _codes_by_label(one: Field) -> dict[str, str]:
    if one.type == "checkbox":
        return CHECKED
    return {label: code for code, label in one.choices.items()} if one.type in _CHOICE_TYPES else {}


def _form_names(values: pl.Series, dictionary: Dictionary) -> dict[str, str]:
    """Return the names of forms that an export writes by their labels: `Blood Pressure` is `blood_pressure`."""
    names, strange = {}, 0
    for value in values.unique().to_list():
        name = re.sub(r"[^a-z0-9]+", "_", value.lower()).strip("_")
        if value and value not in dictionary.forms:
            names[value] = name
            strange += name not in dictionary.forms
    if strange:
        raise FileRefused(
            Refusal.UNREADABLE,
            f"{counted(strange, 'repeating form')} of the export {'is' if strange == 1 else 'are'} not in the data "
            "dictionary",
            "give the data dictionary of the same project, and export raw data",
        )
    return names
