"""De-identification, verified: how many clients share their quasi-identifiers, and what is withheld where too few do.

Quasi-identifiers are what somebody may know of a client without the study; the study declares them (`[disclosure]
quasi_identifiers`) among age band, gender, practice and therapist. Clients that share them make a class. A class is
safe where it has k clients or more (Sweeney 2002, doi 10.1142/S0218488502001648) who ended in l ways or more
(Machanavajjhala et al. 2007, doi 10.1145/1217299.1217302). Practice and therapist are the study's design and stay;
age band goes first, gender next.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import duckdb

from outcomes.store.warehouse import insert_rows
from outcomes.study.tables.confidential import Disclosure, QuasiIdentifier

TABLE = "deidentification"
_TABLES = ("mart_clients", "core_clients")
_ALL = tuple(QuasiIdentifier)
_DESIGN = (QuasiIdentifier.PRACTICE, QuasiIdentifier.THERAPIST)
_PRACTICE_ONLY, _THERAPIST_ONLY = _DESIGN[:1], _DESIGN[1:]
_AGE, _BOTH = 1, 2  # levels: the age band is withheld; the gender too

Traits = tuple[str | None, str | None]  # age band, gender

# The practice and therapist of most of a client's appointments, the first by name in a tie.
_SEEN = """
create or replace temp table seen as
select client_id, practice_id, therapist_id
from core_sessions
group by client_id, practice_id, therapist_id
qualify row_number() over (partition by client_id order by count(*) desc, practice_id, therapist_id) = 1
"""
# What somebody may know of each client of a table, and how the therapy ended where that is known.
_QUASI = """
create or replace temp table quasi_{table} as
select
    listed.client_id, listed.age_band, listed.gender, seen.practice_id, seen.therapist_id,
    nullif(mart_clients.ending_state, 'undetermined') as ending
from {table} as listed
left join seen on listed.client_id = seen.client_id
left join mart_clients on listed.client_id = mart_clients.client_id
"""


@dataclass(frozen=True)
class ClientClass:
    """Clients that share their quasi-identifiers.

    Attributes
    ----------
    n : int
        How many they are.
    endings : frozenset of str
        Ways in which their therapies are known to have ended; empty where none is known, and l does not apply.
    """

    n: int
    endings: frozenset[str] = frozenset()

    def __add__(self, other: ClientClass) -> ClientClass:
        return ClientClass(self.n + other.n, self.endings | other.endings)

    def is_safe(self, rule: Disclosure) -> bool:
        """Say whether the class has k clients who ended in l ways."""
        return self.n >= rule.k and not self.is_uniform(rule)

    def is_uniform(self, rule: Disclosure) -> bool:
        """Say whether all of them ended in fewer than l ways, so that who finds one there knows the ending."""
        return 0 < len(self.endings) < rule.l


def withholding(classes: Mapping[Traits, ClientClass], rule: Disclosure) -> dict[Traits, int]:
    """Decide what is withheld among clients who share the quasi-identifiers that stay (practice, therapist, or none).

    The age band goes where a class is not safe; the gender too where that is not enough; then the smallest other
    classes go the same way until those without either are safe. A withheld value is a value of its own: somebody who
    sees one empty row among full ones knows whose it is.

    Parameters
    ----------
    classes : mapping of (age band, gender) to ClientClass
        Either trait may be None.
    rule : Disclosure
        k and l.

    Returns
    -------
    dict of (age band, gender) to int
        0 nothing, 1 the age band, 2 both.
    """
    levels = {traits: 0 if clients.is_safe(rule) else _AGE for traits, clients in classes.items()}
    for shown, clients in _shown(classes, levels).items():
        if shown[0] is None and not clients.is_safe(rule):
            _hide(shown, levels)
    while True:
        groups = _shown(classes, levels)
        hidden = groups.pop((None, None), None)
        if hidden is None or hidden.is_safe(rule) or not groups:
            return levels
        _hide(min(groups, key=lambda traits: (groups[traits].n, str(traits))), levels)


def _hide(shown: Traits, levels: dict[Traits, int]) -> None:
    for traits, level in levels.items():
        if _seen(traits, level) == shown:
            levels[traits] = _BOTH


def _seen(traits: Traits, level: int) -> Traits:
    return None if level else traits[0], None if level == _BOTH else traits[1]


def _shown(classes: Mapping[Traits, ClientClass], levels: Mapping[Traits, int]) -> dict[Traits, ClientClass]:
    """Return the classes as a reader sees them at these levels."""
    groups: dict[Traits, ClientClass] = {}
    for traits, clients in classes.items():
        seen = _seen(traits, levels[traits])
        groups[seen] = groups[seen] + clients if seen in groups else clients
    return groups


def deidentify(con: duckdb.DuckDBPyConnection, rule: Disclosure) -> None:
    """Withhold age bands and genders of a release's clients where k and l ask for it, and write the account.

    The build calls it within its own transaction, so that no database with unsafe classes ever stands on the disk. The
    table `deidentification` says what was done, numbers only: one row for each set of quasi-identifiers of each table.
    Classes below k that are left are therapists or practices with fewer than k clients, which no withholding of traits
    mends.

    Parameters
    ----------
    con : connection
        A database with `core_clients`, `core_sessions` and `mart_clients`.
    rule : Disclosure
        k, l and the declared quasi-identifiers.
    """
    con.execute(_SEEN)
    for table in _TABLES:
        con.execute(_QUASI.format(table=table))
    given = {table: _given(con, table) for table in _TABLES}
    # What is withheld for one table is withheld in both, which can make a class of the other too small.
    while sum(_withhold(con, table, rule) for table in _TABLES):
        pass
    con.execute(
        f"create table {TABLE} (table_name varchar, quasi_identifiers varchar, k integer, l integer, "
        "n_clients bigint, n_classes bigint, n_classes_below_k bigint, n_classes_below_l bigint, "
        "n_age_bands_withheld bigint, n_genders_withheld bigint)"
    )
    rows = []
    for table in _TABLES:
        gone = [before - after for before, after in zip(given[table], _given(con, table), strict=True)]
        if any(gone):
            con.execute(
                f"update {table} set age_band = quasi.age_band, gender = quasi.gender from quasi_{table} as quasi "
                f"where {table}.client_id = quasi.client_id"
            ).fetchall()
        for names in _accounts(rule):
            row = _account(con, table, names, rule)
            withheld = gone if names == rule.quasi_identifiers else [0, 0]
            rows.append((table, " ".join(names), *row, *withheld))
    insert_rows(con, TABLE, rows)


def _accounts(rule: Disclosure) -> dict[tuple[QuasiIdentifier, ...], None]:
    """Sets of columns that are counted, each once: those declared, all four, and what no withholding mends."""
    return dict.fromkeys((rule.quasi_identifiers, _ALL, _DESIGN, _THERAPIST_ONLY, _PRACTICE_ONLY))


def _given(con: duckdb.DuckDBPyConnection, table: str) -> tuple[int, int]:
    return con.execute(f"select count(age_band), count(gender) from quasi_{table}").fetchall()[0]


def _withhold(con: duckdb.DuckDBPyConnection, table: str, rule: Disclosure) -> bool:
    """Withhold what one table asks for, in both tables; say whether anything was."""
    stays = [name for name in _DESIGN if name in rule.quasi_identifiers]
    traits = [name if name in rule.quasi_identifiers else "null" for name in _ALL[:2]]
    rows = con.execute(
        f"select {', '.join(traits)}, count(*), "
        "coalesce(list(distinct ending) filter (ending is not null), []), "
        f"{', '.join(stays) or 'null'} from quasi_{table} group by all"
    ).fetchall()
    groups: dict[tuple[str | None, ...], dict[Traits, ClientClass]] = defaultdict(dict)
    for age_band, gender, n, endings, *design in rows:
        groups[tuple(design[: len(stays)])][age_band, gender] = ClientClass(n, frozenset(endings))
    orders = [
        (*traits, level, *design)
        for design, classes in groups.items()
        for traits, level in withholding(classes, rule).items()
        if _seen(traits, level) != traits
    ]
    if not orders:
        return False
    con.execute(
        "create or replace temp table orders "
        f"(age_band varchar, gender varchar, level integer{''.join(f', {name} varchar' for name in stays)})"
    )
    insert_rows(con, "orders", orders)
    same = " and ".join(f"quasi.{name} is not distinct from orders.{name}" for name in rule.quasi_identifiers)
    con.execute(
        "create or replace temp table hidden as "
        f"select client_id, level from quasi_{table} as quasi inner join orders on {same}"
    )
    emptied = {
        QuasiIdentifier.AGE_BAND: "age_band = null",
        QuasiIdentifier.GENDER: f"gender = case when hidden.level = {_BOTH} then null else gender end",
    }
    changes = ", ".join(change for name, change in emptied.items() if name in rule.quasi_identifiers)
    for target in (f"quasi_{table}" for table in _TABLES):
        con.execute(f"update {target} set {changes} from hidden where {target}.client_id = hidden.client_id").fetchall()
    return True


def _account(
    con: duckdb.DuckDBPyConnection, table: str, names: tuple[QuasiIdentifier, ...], rule: Disclosure
) -> tuple[int, ...]:
    """Count the classes of one set of quasi-identifiers of a table: k, l, clients, classes, below k, below l."""
    counted = con.execute(
        "with classes as (select count(*) as n, count(distinct ending) as n_endings "
        f"from quasi_{table} group by {', '.join(names)}) "
        "select coalesce(sum(n), 0)::bigint, count(*), count(*) filter (n < $k), "
        "count(*) filter (n_endings between 1 and $l - 1) from classes",
        {"k": rule.k, "l": rule.l},
    ).fetchall()[0]
    return (rule.k, rule.l, *counted)
