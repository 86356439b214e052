"""k-anonymity and l-diversity of what is published."""

from __future__ import annotations

import csv
import sys
from collections import Counter, defaultdict
from types import SimpleNamespace

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trust_inputs import AGE_BANDS, GENDERS, N_CLIENTS, client, csv_text, sessions

from outcomes.errors import StudyError
from outcomes.landing import land_inbox
from outcomes.release import build, candidate_id
from outcomes.release.deidentify import ClientClass, withholding
from outcomes.study import StudyFolder, create_study
from outcomes.study.settings import Disclosure

ENDINGS = ("dropout", "planned", "other")
traits = st.tuples(st.sampled_from([None, *AGE_BANDS]), st.sampled_from([None, *GENDERS]))
classes = st.dictionaries(
    traits, st.builds(ClientClass, st.integers(1, 9), st.frozensets(st.sampled_from(ENDINGS))), min_size=1
)


def seen(classes, levels):
    groups: dict[tuple, ClientClass] = {}
    for (age, gender), clients in classes.items():
        level = levels[age, gender]
        key = (None if level >= 1 else age, None if level == 2 else gender)
        groups[key] = groups[key] + clients if key in groups else clients
    return groups


@settings(max_examples=2000, deadline=None)
@given(classes, st.integers(2, 7), st.integers(1, 3))
def test_every_class_that_a_reader_sees_is_safe_or_nothing_is_left_to_withhold(classes, k, l):  # noqa: E741
    rule = Disclosure(k=k, l=l)
    groups = seen(classes, withholding(classes, rule))
    assert all(one.is_safe(rule) for one in groups.values()) or set(groups) == {(None, None)}


@given(classes, st.integers(2, 7))
def test_where_every_class_is_safe_nothing_is_withheld(classes, k):
    large = {traits: ClientClass(k + one.n, frozenset(ENDINGS)) for traits, one in classes.items()}
    assert set(withholding(large, Disclosure(k=k, l=2)).values()) == {0}


def test_the_age_band_goes_before_the_gender():
    classes = {("18-24", "woman"): ClientClass(3), ("25-34", "woman"): ClientClass(3), ("18-24", "man"): ClientClass(8)}
    levels = withholding(classes, Disclosure(k=5, l=1))
    assert levels == {("18-24", "woman"): 1, ("25-34", "woman"): 1, ("18-24", "man"): 0}


def test_one_client_alone_does_not_stay_alone_behind_empty_cells():
    classes = {("18-24", "woman"): ClientClass(1), ("25-34", "man"): ClientClass(6), ("35-44", "man"): ClientClass(9)}
    levels = withholding(classes, Disclosure(k=5, l=1))
    assert levels == {("18-24", "woman"): 2, ("25-34", "man"): 2, ("35-44", "man"): 0}


def test_a_class_whose_clients_all_ended_alike_tells_the_ending_and_is_not_safe():
    uniform = ClientClass(9, frozenset({"dropout"}))
    mixed = ClientClass(9, frozenset({"dropout", "planned"}))
    levels = withholding({("18-24", "woman"): uniform, ("25-34", "woman"): mixed}, Disclosure(k=5, l=2))
    assert levels == {("18-24", "woman"): 2, ("25-34", "woman"): 2} or levels[("18-24", "woman")] >= 1
    assert withholding({("18-24", "woman"): uniform}, Disclosure(k=5, l=1)) == {("18-24", "woman"): 0}


@pytest.fixture
def landed(tmp_path):
    """Three therapists with eight clients each, age bands and genders in turn; one therapist with two more; landed."""
    study = create_study(tmp_path / "study")
    rare = [
        row | {"therapist_id": "rare", "client_id": f"x{n}", "episode_id": f"x{n}"}
        for n, row in enumerate(sessions(1, 2)[:2])
    ]
    (study.inbox / "sessions.csv").write_text(csv_text(sessions(1, 4) + rare))
    people = [
        {"client_id": client(n), "age_band": AGE_BANDS[n % 2], "gender": GENDERS[n // 12]} for n in range(N_CLIENTS)
    ] + [{"client_id": f"x{n}", "age_band": AGE_BANDS[n], "gender": GENDERS[n]} for n in range(2)]
    (study.inbox / "clients.csv").write_text(csv_text(people))
    land_inbox(study)
    return study


def built(study):
    """The folder of the study's candidate release."""
    return build(study, candidate_id(study))


def given(study):
    """Age band and gender of each client as the source has them."""
    with (study.inbox / "clients.csv").open(newline="") as stream:
        return {row["client_id"]: [row["age_band"], row["gender"]] for row in csv.DictReader(stream)}


def account(folder):
    """The rows of the table `deidentification`, columns by name."""
    with duckdb.connect(str(folder / "outcomes.duckdb"), read_only=True) as con:
        names = [name for (name,) in con.execute("select column_name from (describe deidentification)").fetchall()]
        found = con.execute("select * from deidentification").fetchall()
    return [SimpleNamespace(**dict(zip(names, row, strict=True))) for row in found]


def rows(folder, sql):
    with duckdb.connect(str(folder / "outcomes.duckdb"), read_only=True) as con:
        return con.execute(sql).fetchall()


def declaring(study, *names):
    """The study with other quasi-identifiers."""
    text = study.settings_path.read_text()
    declared = 'quasi_identifiers = ["age_band", "gender", "practice_id"]'
    assert declared in text
    study.settings_path.write_text(text.replace(declared, f"quasi_identifiers = {list(names)}"))
    return StudyFolder.open(study.root)


def test_by_default_no_class_of_age_band_gender_and_practice_is_below_k(landed):
    folder, study = built(landed), landed
    for table in ("mart_clients", "core_clients"):
        sizes = Counter(rows(folder, f"select age_band, gender from {table}"))  # of one practice
        assert min(sizes.values()) >= study.settings.disclosure.k
        assert sum(n for (age, _), n in sizes.items() if age is not None) >= 24


def test_the_account_also_says_how_many_classes_a_reader_who_knows_the_therapist_finds_below_k(landed):
    rows_of_account = {one.quasi_identifiers: one for one in account(built(landed))}
    assert rows_of_account["age_band gender practice_id"].n_classes_below_k == 0
    assert rows_of_account["age_band gender practice_id therapist_id"].n_classes_below_k > 0


def test_a_trait_that_is_not_declared_is_neither_counted_nor_withheld(landed):
    study = declaring(landed, "gender", "therapist_id")
    folder = built(study)
    before = sorted((name, age) for name, (age, _) in given(study).items())
    assert rows(folder, "select client_id, age_band from core_clients order by all") == before
    therapist = dict(rows(folder, "select distinct client_id, therapist_id from core_sessions"))
    sizes = Counter(
        (therapist[name], gender) for name, gender in rows(folder, "select client_id, gender from core_clients")
    )
    assert {key for key, n in sizes.items() if n < study.settings.disclosure.k} == {("rare", None)}


@pytest.mark.parametrize("names", [(), ("age_band", "age_band"), ("name",)])
def test_quasi_identifiers_are_columns_that_the_study_has_each_listed_once(landed, names):
    with pytest.raises(StudyError, match="quasi_identifiers"):
        declaring(landed, *names)


def test_in_the_tables_no_class_below_k_is_left_but_those_of_rare_therapists(landed):
    study = declaring(landed, "age_band", "gender", "practice_id", "therapist_id")
    folder = built(study)
    therapist = dict(rows(folder, "select distinct client_id, therapist_id from core_sessions"))
    for table in ("mart_clients", "core_clients"):
        listed = rows(folder, f"select client_id, age_band, gender from {table}")
        sizes = Counter((therapist[name], age, gender) for name, age, gender in listed)
        small = {key for key, n in sizes.items() if n < study.settings.disclosure.k}
        assert small == {("rare", None, None)}
        row = next(
            one for one in account(folder) if one.table_name == table and one.quasi_identifiers.startswith("age")
        )
        assert (row.n_clients, row.n_classes, row.n_classes_below_k) == (26, len(sizes), 1)
        assert row.n_age_bands_withheld == sum(age is None for _, age, _ in listed)
        assert row.n_genders_withheld == sum(gender is None for _, _, gender in listed)
        alone = next(
            one for one in account(folder) if one.table_name == table and one.quasi_identifiers == "therapist_id"
        )
        assert (alone.n_classes, alone.n_classes_below_k) == (4, 1)


def test_done_again_it_changes_nothing(landed):
    folder = built(landed)
    first = account(folder)
    before = rows(folder, "select * from core_clients order by all")
    assert built(landed) == folder
    assert account(folder) == first
    assert rows(folder, "select * from core_clients order by all") == before


def test_what_is_kept_is_what_was_given(landed):
    study = declaring(landed, "age_band", "gender", "practice_id", "therapist_id")
    study.settings_path.write_text(study.settings_path.read_text().replace("k = 5 ", "k = 3 "))
    study = StudyFolder.open(study.root)
    before, folder = given(study), built(study)
    kept = defaultdict(int)
    for name, *rest in rows(folder, "select client_id, age_band, gender from core_clients"):
        for place, value in enumerate(rest):
            assert value in (None, before[name][place])
            kept[place] += value is not None
    assert (kept[0], kept[1]) == (0, N_CLIENTS)


def test_the_study_sets_k_and_l(landed):
    study = landed
    study.settings_path.write_text(
        study.settings_path.read_text().replace("k = 5 ", "k = 2 ").replace("l = 2 ", "l = 1 ")
    )
    folder = built(StudyFolder.open(study.root))
    assert {(one.k, one.l) for one in account(folder)} == {(2, 1)}


def test_a_build_that_was_killed_before_it_withheld_leaves_no_database_with_raw_traits(landed, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(
            sys.modules["outcomes.release.building"], "deidentify", killed
        )  # the package has a function of that name
        with pytest.raises(KeyboardInterrupt):
            built(landed)
    assert not list(landed.releases.rglob("outcomes.duckdb"))
    folder = built(landed)
    assert account(folder)
    assert not list(folder.glob(".aside-*"))
