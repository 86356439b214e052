"""Keyed pseudonyms: local ids become HMAC-SHA256 values under a key that lies outside the study.

It is here and not in `outcomes.trust` because landing applies it, before anything of a file is written.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from dataclasses import dataclass
from pathlib import Path

import duckdb

from outcomes.contract import ValueType
from outcomes.errors import StudyError
from outcomes.landing.rules.columns import ColumnPlan
from outcomes.study import StudyFolder

KEY_VARIABLE = "OUTCOMES_PSEUDONYM_KEY_FILE"
SHORTEST_KEY = 32  # bytes; as long as the hash
_DIGITS = 20  # hexadecimal; 80 bits: the chance of any two alike among ten million ids is below 1 in 10 billion
# A client's id stands for the episode where a file has none, so that both must have one pseudonym.
_DOMAINS = {"client_id": "client", "episode_id": "client", "therapist_id": "therapist", "practice_id": "practice"}


@dataclass(frozen=True)
class PseudonymKey:
    """The secret; two keys are told apart by their fingerprints, which say nothing of the key."""

    secret: bytes

    def __repr__(self) -> str:
        return f"PseudonymKey({self.fingerprint})"

    @property
    def fingerprint(self) -> str:
        """Twelve hexadecimal digits that change with the key."""
        return self._mac("fingerprint", "outcomes")[:12]

    def pseudonym(self, column: str, local_id: str) -> str:
        """Return the pseudonym of one id, e.g. `c1f0a...`: the first letter of its kind and 80 bits."""
        domain = _DOMAINS[column]
        return domain[0] + self._mac(domain, local_id)[:_DIGITS]

    def _mac(self, domain: str, text: str) -> str:
        return hmac.new(self.secret, f"{domain}\0{text}".encode(), hashlib.sha256).hexdigest()


def fingerprint_of(key: PseudonymKey | None) -> str:
    """Return a key's fingerprint, '' where there is no key."""
    return key.fingerprint if key else ""


def read_key(study: StudyFolder) -> PseudonymKey | None:
    """Read the study's key; None where the study does not ask for pseudonyms.

    Raises
    ------
    StudyError
        If the key's file is not named, not readable, too short, or lies inside the study.
    """
    if not study.settings.landing.pseudonymise:
        return None
    named = os.environ.get(KEY_VARIABLE) or study.settings.landing.pseudonym_key_file
    make = f"make one with `head -c 32 /dev/urandom | base64 > KEYFILE` and name it in {KEY_VARIABLE}"
    if not named:
        raise StudyError("study.toml asks for pseudonyms ([landing] pseudonymise), but no key file is named", make)
    path = Path(named).expanduser().resolve()
    if path.is_relative_to(study.root):
        raise StudyError(
            "The pseudonym key lies inside the study: whoever has the study could undo the pseudonyms",
            "move the key to another place that only you can read",
        )
    try:
        secret = path.read_bytes().strip()
    except OSError as refused:
        raise StudyError(f"The pseudonym key cannot be read: {refused.strerror}", make) from None
    if len(secret) < SHORTEST_KEY:
        raise StudyError(f"The pseudonym key has fewer than {SHORTEST_KEY} bytes", make)
    return PseudonymKey(secret)


def refuse_another_key(key: PseudonymKey | None, used: set[str]) -> None:
    """Refuse to land under another key (or none) than the batches before: one client would become two.

    Parameters
    ----------
    used : set of str
        Fingerprints in the manifests of landed batches, '' for a batch without pseudonyms.

    Raises
    ------
    StudyError
        If `used` holds any other fingerprint.
    """
    if used - {fingerprint_of(key)}:
        raise StudyError(
            "The batches of this study were landed under another pseudonym key, or without one; "
            "the same client would get two pseudonyms",
            "use the key of the first batch, or make a new study and land everything there",
        )


def pseudonymise(con: duckdb.DuckDBPyConnection, plan: ColumnPlan, key: PseudonymKey) -> None:
    """Replace every id in the table `typed` by its pseudonym."""
    import polars as pl  # slow to import, and needed only where a study has a key

    for planned in plan.columns:
        if planned.column.type is not ValueType.IDENTIFIER:
            continue
        name = planned.column.name
        ids = [
            row[0] for row in con.execute(f"select distinct v_{name} from typed where v_{name} is not null").fetchall()
        ]
        con.register("pseudonym_frame", pl.DataFrame(
            {"id": ids, "pseudonym": [key.pseudonym(name, one) for one in ids]},
            schema={"id": pl.String, "pseudonym": pl.String},
        ).to_arrow())  # fmt: skip
        con.execute(
            f"update typed set v_{name} = pseudonym from pseudonym_frame where v_{name} = pseudonym_frame.id"
        ).fetchall()
        con.unregister("pseudonym_frame")


def pseudonymised_cells(cells: dict[str, str], plan: ColumnPlan, key: PseudonymKey) -> dict[str, str]:
    """Replace the ids among a quarantined row's cells, which are by the file's column names."""
    columns = {
        planned.source_name.strip().casefold(): planned.column.name
        for planned in plan.columns
        if planned.column.type is ValueType.IDENTIFIER and planned.place is not None
    }
    return {
        name: key.pseudonym(columns[name.strip().casefold()], cell.strip())
        if name.strip().casefold() in columns and cell.strip()
        else cell
        for name, cell in cells.items()
    }
