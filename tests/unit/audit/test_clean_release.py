"""A release without faults passes every check."""

from outcomes.audit import Status, audit


def test_a_clean_release_passes_every_check_and_leaves_none_unapplied(release, study):
    report = audit(release, study)
    ended = {check.check_id: check.sentence for check in report.checks if check.status is not Status.PASSED}
    assert ended == {}
    assert report.fatal == ()
