"""Files as an institution would send them, landed and built for real: what comes out passes the checks."""

import pytest

from outcomes import release
from outcomes.audit import Status, audit
from outcomes.landing import land_inbox
from outcomes.release.folders import DATABASE
from outcomes.simulate import simulate_study
from outcomes.store.warehouse import connect
from outcomes.study import StudyFolder, create_study


@pytest.mark.parametrize("mess", [False, True], ids=["clean files", "files with planted faults"])
def test_a_simulated_cohort_has_no_finding(tmp_path, mess):
    study = StudyFolder.open(create_study(tmp_path / "study").root)
    simulate_study(study.root, clients=600, therapists=24, seed=5, mess=mess)
    land_inbox(study)
    folder = release.build(study, release.candidate_id(study))
    report = audit(folder, study)
    assert {check.check_id: check.sentence for check in report.open} == {}
    # Without a quarantined row its reasons cannot be checked; a cohort in which nobody changes the practice, answers
    # items or is coded has nothing to check of these.
    unapplied = {check.check_id for check in report.checks if check.status is Status.NOT_APPLICABLE}
    tables = ("core_measures", "core_agreement", "mart_reliable_change")
    unasked = {one for one in unapplied if one.split(".")[0] in tables}
    unasked.add("core_sessions.practice_id.movers_stay")
    assert unapplied - unasked == (set() if mess else {"core_quarantine.rule.codes"})
    with connect(folder / DATABASE) as con:
        assert [con.table(table).shape[0] for table in tables] == [0, 0, 0]
