"""NHS Talking Therapies (IAPT data set v2.1): care contacts and referrals from a zip of its CSV tables.

IDS101 referral, IDS201 care contact, IDS202 care activity, IDS606 and IDS607 coded scored assessments of referrals and
of activities. https://digital.nhs.uk/data-and-information/data-collections-and-data-sets/data-sets/
improving-access-to-psychological-therapies-data-set
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import polars as pl

from outcomes.contract import Kind, LeftOut, Refusal
from outcomes.landing.layouts.base import Export, Layout, Recognised, Table, Tidy
from outcomes.landing.layouts.national.archive import (
    LINE,
    SUFFIXES,
    Member,
    names_in,
    needed,
    only_known,
    open_members,
    the_only,
)
from outcomes.landing.layouts.national.months import IS_OLD, MONTH, in_one, key_of_client
from outcomes.landing.refusal import FileRefused, counted
from outcomes.study.answerable import OF_A_SOURCE
from outcomes.study.tables.layouts import LayoutName

REFERRAL, CONTACT, ACTIVITY, OF_REFERRAL, OF_ACTIVITY = "ids101", "ids201", "ids202", "ids606", "ids607"
_TABLE = re.compile(r"ids[_ ]?(101|201|202|606|607)")
_IDENTIFYING = frozenset({"nhsnumber", "personbirthdate", "postcode"})
_FOUND = "tables"  # fact of a table: the tables of the archive by name
_REQUEST, _CONTACT, _ACTIVITY = "servicerequestid", "carecontactid", "careactid"
_CAME, _MISSED, _CANCELLED = ("5", "6"), ("3", "7"), ("2", "4")  # AttendOrDNACode
_EXPERIENCE = r"^7479[0-5]1\d*$"  # SNOMED codes of the patient experience questionnaire on treatment
_NOT_APPLICABLE = "99"
_SEVERAL = " | "  # between scores of one tool in one contact that differ: no rule takes them for a number


def open_iapt(export: Export) -> Table:
    """Open the tables of an extract, each over all its months.

    Raises
    ------
    FileRefused
        If a table is damaged, or it has NHS numbers, dates of birth or postcodes.
    """
    members: dict[str, list[Member]] = {}
    for one in open_members(export, lambda name: _TABLE.search(name) is not None, _IDENTIFYING):
        members.setdefault(f"ids{_TABLE.search(one.name)[1]}", []).append(one)
    found = {name: in_one(parts) for name, parts in members.items()}
    if not {REFERRAL, CONTACT} & set(found):
        raise FileRefused(
            Refusal.UNREADABLE, "the archive has neither referrals (IDS101) nor care contacts (IDS201)",
            "pack the CSV tables of the extract under their names (IDS101..., IDS201...)",
        )  # fmt: skip
    owners = pl.concat(
        [frame.select(name for name in ("person_id", "localpatientid", _REQUEST) if name in frame.columns)
         for name, frame in found.items() if name in (REFERRAL, CONTACT)], how="diagonal",
    ).fill_null("")  # fmt: skip
    return Table(owners, np.arange(1, owners.height + 1), facts={_FOUND: found})


def owners(table: Table, export: Export) -> pl.DataFrame:
    """Give the ids of all persons and referrals of the extract."""
    return table.frame


def arrange(table: Table, export: Export, kind: Kind) -> Tidy:
    """Take one row a care contact that was not cancelled, or one row a referral in its latest version.

    Raises
    ------
    FileRefused
        If it is read for clients, or a table or a column that is needed is not there.
    """
    tables = table.facts[_FOUND]
    if kind is Kind.CLIENTS:
        raise FileRefused(
            Refusal.MISSING_COLUMNS, "an NHS Talking Therapies extract is read for sessions and episodes only",
            "take [sources.clients] out of study.toml, or give it a file of its own",
        )  # fmt: skip
    every, fates, notes = (_sessions if kind is Kind.SESSIONS else _episodes)(tables, export)
    taken = every.filter(fates == "")
    lines = taken[LINE].to_numpy().astype(np.int64)
    known, dropped = only_known(taken.drop(MONTH, IS_OLD), export)
    counts = {reason: int((fates == reason.value).sum()) for reason in LeftOut}
    return Tidy(known.drop(LINE), lines, every.height, {reason: n for reason, n in counts.items() if n}, dropped,
                tuple(notes))  # fmt: skip


def _sessions(tables: dict[str, pl.DataFrame], export: Export) -> tuple[pl.DataFrame, pl.Series, list[str]]:
    """Join contacts with their client, therapist and scores. A contact's id recurs: its key has the month in it."""
    needed_columns = (_REQUEST, _CONTACT, "attendordnacode")
    contacts = needed(tables.get(CONTACT), needed_columns, "IDS201")
    notes = _notes_on_refreshes(contacts)
    if "localpatientid" not in contacts.columns and REFERRAL in tables:
        referrals = needed(tables[REFERRAL], (_REQUEST,), "IDS101")
        if person := key_of_client(referrals, contacts):
            contacts = _joined(contacts, referrals.group_by(_REQUEST).agg(the_only(person, person)), [_REQUEST])
    if ACTIVITY in tables:
        activities = needed(tables[ACTIVITY], (_CONTACT, "careperslocalid"), "IDS202").filter(~pl.col(IS_OLD))
        keys = _keys(activities)
        contacts = _joined(contacts, activities.group_by(keys).agg(the_only("careperslocalid", "therapist")), keys)
        contacts = _with_scores(contacts, activities, tables.get(OF_ACTIVITY))
    code = pl.col("attendordnacode").str.strip_prefix("0")
    contacts = contacts.with_columns(
        code.replace({**dict.fromkeys(_CAME, "1"), **dict.fromkeys(_MISSED, "0")}).alias("attended")
    )
    wanted = export.source(Kind.SESSIONS).iapt.appointments
    if wanted:
        needed(contacts, ("apptype",), "IDS201")
    is_other = ~pl.col("apptype").is_in(list(wanted)) if wanted else pl.lit(value=False)
    fates = contacts.with_columns(
        pl.when(pl.col(IS_OLD)).then(pl.lit(LeftOut.SUPERSEDED.value))
        .when(code.is_in(list(_CANCELLED))).then(pl.lit(LeftOut.CANCELLED.value))
        .when(is_other).then(pl.lit(LeftOut.OTHER_APPOINTMENT.value))
        .otherwise(pl.lit("")).alias("\0fate")
    )["\0fate"]  # fmt: skip
    taken = contacts.filter(fates == "")
    if "therapist" in contacts.columns and (without := int((taken["therapist"] == "").sum())):
        notes.append(f"{counted(without, 'contact has', 'contacts have')} no activity, or several members of staff")
    providers = next((taken[name].n_unique() for name in ("orgid_provider", "orgidprov") if name in taken.columns), 1)
    if providers > 1:
        notes.append(
            f"it has {providers} providers, whose local ids of staff and referrals may recur: a file and a study each"
        )
    return contacts, fates, notes


def _episodes(tables: dict[str, pl.DataFrame], export: Export) -> tuple[pl.DataFrame, pl.Series, list[str]]:
    """Take each referral as its latest month has it; open ones are submitted anew every month."""
    referrals = needed(tables.get(REFERRAL), (_REQUEST,), "IDS101")
    notes = _notes_on_refreshes(referrals)
    if OF_REFERRAL in tables:
        scores = needed(tables[OF_REFERRAL], (_REQUEST, "codedasstooltype", "persscore"), "IDS606")
        referrals = _with_first_and_last(referrals, scores.filter(~pl.col(IS_OLD)))
    latest = pl.col(MONTH).filter(~pl.col(IS_OLD)).max().over(_REQUEST)
    is_earlier = pl.col(IS_OLD) | (pl.col(MONTH) < latest)
    fate = pl.when(is_earlier).then(pl.lit(LeftOut.SUPERSEDED.value)).otherwise(pl.lit("")).alias("\0fate")
    fates = referrals.with_columns(fate)["\0fate"]
    ended = {"servdischdate", "endcode"} <= set(referrals.columns)
    if ended:
        unsaid = (
            referrals.filter(fates == "").filter((pl.col("servdischdate") != "") & (pl.col("endcode") == "")).height
        )
        if unsaid:
            notes.append(f"{counted(unsaid, 'referral was', 'referrals were')} discharged without a reason")
    return referrals, fates, notes


def _with_scores(contacts: pl.DataFrame, activities: pl.DataFrame, scores: pl.DataFrame | None) -> pl.DataFrame:
    """Give contacts a column `score_<code>` for every SNOMED code of a tool."""
    if scores is None:
        return contacts
    scores = needed(scores, (_ACTIVITY, "codedasstooltype", "persscore"), "IDS607").filter(~pl.col(IS_OLD))
    keys = _keys(activities)
    acts = activities.select(*keys, _ACTIVITY).unique()
    on = [one for one in (MONTH, _REQUEST, _ACTIVITY) if one in scores.columns and one in acts.columns]
    held = _without_not_applicable(scores).join(acts, on=on, how="inner", suffix="_of_activity")
    for code in held["codedasstooltype"].unique().sort():
        of_tool = held.filter((pl.col("codedasstooltype") == code) & (pl.col("persscore") != ""))
        score = pl.col("persscore").unique(maintain_order=True).str.join(_SEVERAL).alias(f"score_{code}")
        contacts = _joined(contacts, of_tool.group_by(keys).agg(score), keys)
    return contacts


def _with_first_and_last(referrals: pl.DataFrame, scores: pl.DataFrame) -> pl.DataFrame:
    """Give referrals the earliest and the latest score of every tool, `first_<code>` and `last_<code>`."""
    scores = _without_not_applicable(scores).filter(pl.col("persscore") != "")
    if "asstoolcompdate" in scores.columns:
        scores = scores.sort("asstoolcompdate", maintain_order=True)
    for code in scores["codedasstooltype"].unique().sort():
        of_tool = scores.filter(pl.col("codedasstooltype") == code).group_by(_REQUEST, maintain_order=True)
        ends = of_tool.agg(
            pl.col("persscore").first().alias(f"first_{code}"), pl.col("persscore").last().alias(f"last_{code}")
        )
        referrals = _joined(referrals, ends, [_REQUEST])
    return referrals


def _without_not_applicable(scores: pl.DataFrame) -> pl.DataFrame:
    is_none = pl.col("codedasstooltype").str.contains(_EXPERIENCE) & (pl.col("persscore") == _NOT_APPLICABLE)
    return scores.with_columns(pl.when(is_none).then(pl.lit("")).otherwise(pl.col("persscore")).alias("persscore"))


def _keys(activities: pl.DataFrame) -> list[str]:
    """Return what joins activities to contacts: month, contact and, where it is there, the referral."""
    return [MONTH, *([_REQUEST] if _REQUEST in activities.columns else []), _CONTACT]


def _joined(frame: pl.DataFrame, other: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """Join columns that the frame has not, '' where there is no partner; rows stay as they are."""
    new = other.select(*keys, *(name for name in other.columns if name not in frame.columns))
    return frame.join(new, on=keys, how="left", maintain_order="left").with_columns(pl.col(pl.String).fill_null(""))


def _notes_on_refreshes(frame: pl.DataFrame) -> list[str]:
    """Say of which months the refreshed rows are less than half of those that they replace."""
    n_old = pl.col(IS_OLD).sum()
    months = frame.group_by(MONTH).agg(((pl.len() - n_old) * 2 < n_old).alias("is_short"))
    short = int(months["is_short"].sum())
    if not short:
        return []
    return [f"in {counted(short, 'month')} the refresh has less than half the rows that it replaces: it may be cut off"]


def recognise(path: Path) -> Recognised | None:
    """Tell an extract by the names of its tables."""
    names = names_in(path) if path.suffix.lower() in SUFFIXES else []
    tables = {f"ids{match[1]}" for match in map(_TABLE.search, names) if match}
    if CONTACT not in tables:
        return None
    usual = {"client_id": "person_id", "episode_id": _REQUEST, "session_date": "carecontdate",
             "therapist_id": "therapist"}  # fmt: skip
    return Recognised(
        LayoutName.IAPT, f"it has tables of NHS Talking Therapies: {', '.join(sorted(tables)).upper()}",
        {"columns": usual, "drop": sorted(_IDENTIFYING)},
        ("scores stand in score_<SNOMED code>: PHQ-9 is score_720433000",),
    )  # fmt: skip


IAPT = Layout(
    LayoutName.IAPT, "NHS Talking Therapies extract", SUFFIXES, open_iapt, arrange, owners, None, recognise,
    OF_A_SOURCE[LayoutName.IAPT],
)  # fmt: skip
