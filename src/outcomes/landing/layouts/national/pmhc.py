"""PMHC-MDS 4.0 (Australia): service contacts, episodes and clients of primary mental health care.

https://docs.pmhc-mds.com/projects/data-specification/en/v4/
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from outcomes.contract import Kind, Refusal
from outcomes.landing.layouts.base import Export, Layout, Recognised, Table, Tidy
from outcomes.landing.layouts.national.archive import (
    LINE,
    SUFFIXES,
    WORKBOOKS,
    by_key,
    names_in,
    needed,
    only_known,
    open_members,
    the_only,
)
from outcomes.landing.refusal import FileRefused, counted
from outcomes.study.answerable import OF_A_SOURCE
from outcomes.study.tables.layouts import LayoutName

CONTACTS, WHO, EPISODES, CLIENTS = "service-contacts", "service-contact-practitioners", "episodes", "clients"
OCCASIONS, K10, METADATA = "collection-occasions", "k10p", "metadata"
_TABLES = frozenset({CONTACTS, WHO, EPISODES, CLIENTS, OCCASIONS, K10, METADATA})
_READ = (*SUFFIXES, *WORKBOOKS)
_IDENTIFYING = frozenset({"slk", "date_of_birth"})
_FOUND = "tables"  # fact of a table: the tables of the archive by name
_ORGANISATION = "organisation_path"
_UNKNOWN_DAY = "09099999"
_YES, _NO = "1", "2"
_ITEMS = tuple(f"k10p_item{n}" for n in range(1, 11))  # items 11 to 14 are days and visits, and do not count
_MISSING_ITEM, _MISSING_SCORE = "9", "99"
_OCCASIONS = {"1": "k10p_start", "3": "k10p_end"}  # reason_for_collection: start and end of the episode


def open_pmhc(export: Export) -> Table:
    """Open the tables of an upload.

    Raises
    ------
    FileRefused
        If it is no PMHC-MDS of version 4, a table is damaged, or it has statistical linkage keys or dates of birth.
    """
    tables = {one.name: one.frame for one in open_members(export, _TABLES.__contains__, _IDENTIFYING)}
    _refuse_other_version(tables.pop(METADATA, None))
    are_dates = export.suffix in WORKBOOKS
    mended = {name: _days_of_eight(_as_digits(frame) if are_dates else frame) for name, frame in tables.items()}
    notes = tuple(
        f"{counted(n, 'date')} of {name}.csv had lost a leading nought, which was put back"
        for name, (_, n) in mended.items() if n
    )  # fmt: skip
    found = {name: frame for name, (frame, _) in mended.items()}
    _refuse_shared_keys(found)
    owners = pl.concat(
        [frame.select(pl.col(column) for column in ("client_key", "episode_key") if column in frame.columns)
         for name, frame in found.items() if name in (CLIENTS, EPISODES, CONTACTS)]
        or [pl.DataFrame({"client_key": []}, schema={"client_key": pl.String})], how="diagonal",
    ).fill_null("")  # fmt: skip
    return Table(owners, np.arange(1, owners.height + 1), facts={_FOUND: found, "notes": notes})


def arrange(table: Table, export: Export, kind: Kind) -> Tidy:
    """Take one row a service contact, an episode or a client."""
    tables = table.facts[_FOUND]
    frame, notes = {Kind.SESSIONS: _sessions, Kind.EPISODES: _episodes, Kind.CLIENTS: _clients}[kind](tables)
    lines = frame[LINE].to_numpy().astype(np.int64)
    known, dropped = only_known(frame, export)
    return Tidy(known.drop(LINE), lines, frame.height, {}, dropped, (*table.facts["notes"], *notes))


def owners(table: Table, export: Export) -> pl.DataFrame:
    """Give the keys of all clients and episodes of the upload."""
    return table.frame


def _sessions(tables: dict[str, pl.DataFrame]) -> tuple[pl.DataFrame, list[str]]:
    """Join contacts with their episode's client and their primary practitioner."""
    contacts = needed(tables.get(CONTACTS), ("service_contact_key", "episode_key"), f"{CONTACTS}.csv")
    episodes = needed(tables.get(EPISODES), ("episode_key", "client_key"), f"{EPISODES}.csv")
    keys = _keys(contacts, episodes, "episode_key")
    joined = _joined(contacts, by_key(episodes, keys, f"{EPISODES}.csv"), keys)
    notes = []
    orphans = contacts.join(episodes, on=keys, how="anti").height
    if orphans:
        notes.append(f"{counted(orphans, 'contact belongs', 'contacts belong')} to no episode of the upload")
    if WHO in tables:
        who = needed(tables[WHO], ("service_contact_key", "practitioner_key", _PRIMARY), f"{WHO}.csv")
        keys = _keys(contacts, who, "service_contact_key")
        primary = who.filter(pl.col(_PRIMARY) == _YES).group_by(keys).agg(the_only("practitioner_key", "therapist"))
        joined = _joined(joined, primary, keys)
        without = int((joined["therapist"] == "").sum())
        if without:
            notes.append(f"{counted(without, 'contact has', 'contacts have')} not exactly one primary practitioner")
    if "service_contact_no_show" in joined.columns:
        attended = pl.col("service_contact_no_show").replace({_YES: "0", _NO: "1"})
        joined = joined.with_columns(attended.alias("attended"))
    return joined, notes


_PRIMARY = "primary_practitioner_indicator"


def _episodes(tables: dict[str, pl.DataFrame]) -> tuple[pl.DataFrame, list[str]]:
    """Give episodes the day of their first contact and their K10+ at start and end."""
    episodes = needed(tables.get(EPISODES), ("episode_key", "client_key"), f"{EPISODES}.csv")
    notes: list[str] = []
    if {"episode_key", "service_contact_date"} <= set(tables.get(CONTACTS, pl.DataFrame()).columns):
        contacts = tables[CONTACTS]
        keys = _keys(episodes, contacts, "episode_key")
        day = pl.col("service_contact_date").str.to_date("%d%m%Y", strict=False)
        first = contacts.group_by(keys).agg(day.min().dt.strftime("%d%m%Y").alias("first_contact"))
        episodes = _joined(episodes, first, keys)
    if {OCCASIONS, K10} <= set(tables):
        episodes, notes = _with_k10(episodes, tables[OCCASIONS], tables[K10])
    return episodes, notes


def _with_k10(episodes: pl.DataFrame, occasions: pl.DataFrame, k10: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
    """Score the ten items (10 to 50); a stored score counts only where the items were not entered."""
    needed(occasions, ("collection_occasion_key", "episode_key", "reason_for_collection"), f"{OCCASIONS}.csv")
    needed(k10, ("collection_occasion_key",), f"{K10}.csv")
    given = [name for name in _ITEMS if name in k10.columns]
    numbers = [pl.col(name).cast(pl.Int32, strict=False) for name in given]
    is_whole = pl.all_horizontal(number.is_between(1, 5).fill_null(value=False) for number in numbers)
    total = pl.when(is_whole).then(pl.sum_horizontal(numbers)) if len(given) == len(_ITEMS) else pl.lit(None, pl.Int32)
    stored = pl.col("k10p_score") if "k10p_score" in k10.columns else pl.lit("")
    scored = k10.with_columns(
        total.alias("total"), pl.when(stored == _MISSING_SCORE).then(pl.lit("")).otherwise(stored).alias("stored")
    ).with_columns(pl.col("total").cast(pl.String).fill_null(pl.col("stored")).alias("score"))
    other = scored.filter((pl.col("stored") != "") & (pl.col("total").cast(pl.String) != pl.col("stored"))).height
    notes = (
        [f"{counted(other, 'K10+')} stored another score than its items add up to: the sum was taken"] if other else []
    )
    keys = _keys(occasions, scored, "collection_occasion_key")
    held = occasions.join(scored.select(*keys, "score"), on=keys, how="inner")
    for reason, name in _OCCASIONS.items():
        keys = _keys(episodes, held, "episode_key")
        at = held.filter(pl.col("reason_for_collection") == reason).group_by(keys).agg(the_only("score", name))
        episodes = _joined(episodes, at, keys)
    return episodes, notes


def _clients(tables: dict[str, pl.DataFrame]) -> tuple[pl.DataFrame, list[str]]:
    return needed(tables.get(CLIENTS), ("client_key",), f"{CLIENTS}.csv"), []


def _joined(frame: pl.DataFrame, other: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """Join columns that the frame has not, '' where there is no partner; rows stay as they are."""
    new = other.select(*keys, *(name for name in other.columns if name not in frame.columns))
    return frame.join(new, on=keys, how="left", maintain_order="left").with_columns(pl.col(pl.String).fill_null(""))


def _keys(one: pl.DataFrame, other: pl.DataFrame, key: str) -> list[str]:
    """Return what joins two tables: keys are unique within an organisation only."""
    return [name for name in (_ORGANISATION, key) if name in one.columns and name in other.columns]


def _dates(frame: pl.DataFrame) -> list[str]:
    return [name for name in frame.columns if name.endswith("_date")]


def _as_digits(frame: pl.DataFrame) -> pl.DataFrame:
    """Write DDMMYYYY where a workbook holds a date: such a cell reads YYYY-MM-DD, with or without a time of day."""
    return frame.with_columns(
        pl.col(name).str.replace(r"^(\d{4})-(\d{2})-(\d{2})([ T].*)?$", "${3}${2}${1}") for name in _dates(frame)
    )


def _days_of_eight(frame: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """Empty the code for an unknown day, and put back leading noughts that a spreadsheet took: DDMMYYYY has eight."""
    names = _dates(frame)
    is_short = [pl.col(name).str.contains(r"^\d{7}$") for name in names]
    n = int(sum(frame.select(one.sum()).item() for one in is_short)) if frame.height else 0
    padded = frame.with_columns(
        pl.when(short).then(pl.col(name).str.zfill(len(_UNKNOWN_DAY))).otherwise(pl.col(name)).replace(_UNKNOWN_DAY, "")
        for name, short in zip(names, is_short, strict=True)
    )
    return padded, n


def _refuse_other_version(metadata: pl.DataFrame | None) -> None:
    frame = needed(metadata, ("key", "value"), f"{METADATA}.csv")
    said = dict(zip(frame["key"].str.to_lowercase(), frame["value"], strict=True))
    if said.get("type", "").upper() != "PMHC" or said.get("version", "").partition(".")[0] != "4":
        raise FileRefused(
            Refusal.UNREADABLE, "metadata.csv does not say type PMHC and version 4.0",
            "export it in version 4.0 of the data specification",
        )  # fmt: skip


def _refuse_shared_keys(tables: dict[str, pl.DataFrame]) -> None:
    """Refuse client keys that two organisations use: they need not be the same person."""
    frame = tables.get(CLIENTS, tables.get(EPISODES))
    if frame is None or not {_ORGANISATION, "client_key"} <= set(frame.columns):
        return
    shared = frame.group_by("client_key").agg(pl.col(_ORGANISATION).n_unique() > 1)[_ORGANISATION].sum()
    if shared:
        raise FileRefused(
            Refusal.UNREADABLE,
            f"{counted(int(shared), 'client key is', 'client keys are')} used by more than one organisation, and need "
            "not mean the same person",
            "export each organisation to a file and a study of its own",
        )


def recognise(path: Path) -> Recognised | None:
    """Tell an upload by the names of its tables."""
    names = names_in(path) if path.suffix.lower() in _READ else []
    if METADATA not in names or not {CONTACTS, EPISODES} <= set(names):
        return None
    usual = {"client_id": "client_key", "session_date": "service_contact_date", "therapist_id": "therapist"}
    return Recognised(
        LayoutName.PMHC, "it has the tables of PMHC-MDS: metadata, service-contacts, episodes",
        {"columns": usual, "drop": sorted(_IDENTIFYING)},
        ("dates are written DDMMYYYY: date_format = '%d%m%Y'", "its columns slk and date_of_birth must be dropped"),
    )  # fmt: skip


PMHC = Layout(
    LayoutName.PMHC, "PMHC-MDS upload", _READ, open_pmhc, arrange, owners, None, recognise,
    OF_A_SOURCE[LayoutName.PMHC],
)  # fmt: skip
