"""What a construct is stands in the contract once; what is derived from it misses none."""

import pytest

from outcomes.contract import CONTRACT, SCORE, Column, Kind, Role, ValueType, scales_of
from outcomes.release.codebook.tables import TABLES


def test_a_scale_without_a_role_or_with_one_that_no_rating_has_is_refused():
    with pytest.raises(TypeError, match="role"):
        Column("hope", ValueType.SCALE, description="Hope after this session", spoken="hope")
    for role in (Role.KEY, Role.DESIGN):
        with pytest.raises(ValueError, match="the scale hope needs a role that a rating can have"):
            Column("hope", ValueType.SCALE, role, "Hope after this session", spoken="hope")


def test_a_scale_without_a_name_for_sentences_is_refused():
    with pytest.raises(ValueError, match="a name for sentences"):
        Column("hope", ValueType.SCALE, Role.OUTCOME, "Hope after this session")


def test_names_of_columns_stand_once_a_kind_and_those_of_scales_once_at_all():
    for kind, columns in CONTRACT.items():
        assert len({column.name for column in columns}) == len(columns), kind
    scales = [column.name for kind in Kind for column in scales_of(kind)]
    assert len(set(scales)) == len(scales)


def test_every_score_of_a_release_is_a_scale_of_the_contract_so_that_an_own_scale_clashes_with_none():
    ratings = {column.published for kind in Kind for column in scales_of(kind)}
    scores = {name for table in TABLES.values() for name in table.column_names if name.endswith(SCORE)}
    assert scores == ratings


def test_every_rating_of_sessions_is_in_the_tables_that_models_read():
    for table in ("core_sessions", "mart_session_directiveness"):
        assert {column.published for column in scales_of(Kind.SESSIONS)} <= set(TABLES[table].column_names)


def test_ids_that_a_row_needs_are_never_empty():
    needed = {kind: [column.name for column in CONTRACT[kind] if column.is_never_empty] for kind in Kind}
    assert needed == {
        Kind.SESSIONS: ["therapist_id", "client_id"],
        Kind.EPISODES: ["episode_id", "client_id"],
        Kind.CLIENTS: ["client_id"],
    }
