"""What was told, and the trail that vouches for it: deleted, cut or altered, both stop a refresh and show in verify."""

from __future__ import annotations

import json
import re
import shutil

import pytest
from trust_inputs import publish_release

from outcomes.disclosure.ledger import LEDGER, TOLD, enter, teller, write_told
from outcomes.errors import StorageError, UsageError
from outcomes.release import build, candidate_id
from outcomes.release.folders import candidate_folder
from outcomes.store.files import file_sha256, read_json, write_json
from outcomes.study import StudyFolder
from outcomes.trust.audit_trail import HEAD, Event, append, read_chain, trail_path
from outcomes.trust.marks import present_mark, start_anew, start_trail
from outcomes.trust.recording import record_state
from outcomes.trust.verify import refuse_altered, verify
from outcomes.trust.withdrawal import withdraw


def tell_and_publish(study, n_clients: int) -> str:
    """Publish as the flow does: told.json, the ledger, the swap, the trail."""
    declared = re.sub(r"(min_attended_sessions =) \d+", rf"\1 {n_clients}", study.settings_path.read_text())
    study.settings_path.write_text(declared)
    study = StudyFolder.open(study.root)
    release_id, mark = candidate_id(study), present_mark(study)
    build(study, release_id)
    folder = candidate_folder(study, release_id)
    telling = teller(study, release_id)
    telling.count("clients", 200 + 10 * n_clients)
    write_told(folder, telling)
    (folder / "report.html").write_text("{}")
    enter(study, folder, release_id, mark)
    publish_release(study, mark)
    return release_id


@pytest.fixture(scope="module")
def _told(_landed, tmp_path_factory):
    root = tmp_path_factory.mktemp("told") / "study"
    shutil.copytree(_landed, root, symlinks=True)
    for n in (2, 3, 4):
        tell_and_publish(StudyFolder.open(root), n)
    return root


@pytest.fixture
def told(_told, tmp_path):
    """A study with three releases that told something, as a refresh leaves them."""
    shutil.copytree(_told, tmp_path / "study", symlinks=True)
    return StudyFolder.open(tmp_path / "study")


def rewrite(path, change) -> None:
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(change(lines)))


def altered(lines: list[str], place: int, **changes) -> list[str]:
    line = json.loads(lines[place]) | changes
    return [*lines[:place], json.dumps(line) + "\n", *lines[place + 1 :]]


def count_altered(lines: list[str]) -> list[str]:
    line = json.loads(lines[1])
    line["counts"]["clients"]["count"] += 1
    return altered(lines, 1, counts=line["counts"])


LEDGER_ATTACKS = {
    "deleted": None,
    "emptied": lambda lines: [],
    "cut by a line": lambda lines: lines[:-1],
    "cut by two lines": lambda lines: lines[:-2],
    "a line altered": count_altered,
    "the last line altered": lambda lines: altered(lines, 2, report_sha256="0" * 64),
    "the first line taken out, the others counted anew": lambda lines: altered(
        altered(lines[1:], 0, number=1), 1, number=2
    ),
    "two lines exchanged": lambda lines: altered(altered([lines[1], lines[0], lines[2]], 0, number=1), 1, number=2),
    "a line added": lambda lines: [*lines, *altered(lines[2:], 0, number=4, release_id="cccccccccccc")],
}


def attack(path, change) -> None:
    if change is None:
        path.unlink()
    else:
        rewrite(path, change)


@pytest.mark.parametrize("how", LEDGER_ATTACKS)
def test_a_ledger_that_is_not_as_it_was_written_stops_a_refresh_and_is_named(told, how):
    assert verify(told).altered == ()
    refuse_altered(told)
    attack(told.root / LEDGER, LEDGER_ATTACKS[how])
    with pytest.raises(StorageError, match=LEDGER) as refused:
        refuse_altered(told)
    assert "backup" in refused.value.hint
    before = trail_path(told).read_bytes()
    record_state(told)
    assert trail_path(told).read_bytes() == before  # an altered ledger is never taken for the true one
    found = verify(told)
    assert LEDGER in {one.file for one in found.altered}
    with pytest.raises(StorageError):
        found.raise_if_altered()


def test_the_ledger_of_releases_that_are_pruned_is_protected_too(told):
    for folder in sorted(told.releases.iterdir()):
        if folder != told.current.resolve():
            shutil.rmtree(folder)
    rewrite(told.root / LEDGER, count_altered)
    assert LEDGER in {one.file for one in verify(told).altered}


def test_a_line_that_a_killed_publication_left_is_taken_up(told):
    lines = trail_path(told).read_text().splitlines(keepends=True)
    assert '"published"' in lines[-1]
    trail_path(told).write_text("".join(lines[:-1]))
    last = json.loads(lines[-2])
    write_json(told.root / HEAD, {"length": last["number"], "head": last["hash"]})
    assert verify(told).altered == ()
    refuse_altered(told)
    record_state(told)
    rewrite(told.root / LEDGER, lambda lines: lines[:-1])
    assert LEDGER in {one.file for one in verify(told).altered}


TRAIL_ATTACKS = {
    "deleted": lambda lines: None,
    "emptied": lambda lines: [],
    "cut by a line": lambda lines: lines[:-1],
    "cut in the middle": lambda lines: lines[: len(lines) // 2],
    "cut behind the first landing": lambda lines: lines[:1],
    "the refusal taken out": lambda lines: [line for line in lines if '"refused"' not in line],
}


@pytest.mark.parametrize("how", TRAIL_ATTACKS)
@pytest.mark.parametrize("with_head", [True, False], ids=["the head's file stays", "the head's file goes too"])
def test_a_trail_that_is_deleted_cut_or_thinned_is_named_and_nothing_is_built_on_it(told, how, with_head):
    lines = TRAIL_ATTACKS[how](trail_path(told).read_text().splitlines(keepends=True))
    if lines is None:
        trail_path(told).unlink()
    else:
        trail_path(told).write_text("".join(lines))
    if not with_head:
        (told.root / HEAD).unlink()
    for _ in range(2):  # the verification itself must not make it good
        assert {"trail.jsonl", HEAD} & {one.file for one in verify(told).altered}
    with pytest.raises(StorageError, match=r"trail\.") as refused:
        refuse_altered(told)
    assert "--new-trail" in refused.value.hint
    if with_head:
        with pytest.raises(StorageError, match="trail"):
            append(told, Event.BUILT, release_id="x")


def test_a_trail_that_was_deleted_before_anything_was_published_is_named(study):
    shutil.rmtree(study.releases)
    for link in (study.current, study.database, trail_path(study), study.root / HEAD):
        link.unlink()
    assert [one.file for one in verify(study).altered] == ["trail.jsonl"]
    with pytest.raises(StorageError, match=r"trail\.jsonl"):
        withdraw(study, frozenset({"c03k7m3"}))


def test_a_refusal_whose_record_was_removed_is_named_until_a_run_writes_it_down(study):
    record = next(study.quarantine.glob("*.refused.json"))
    record.unlink()
    assert [one.file for one in verify(study).altered] == [f"quarantine/{record.name}"]
    record_state(study)
    found = verify(study)
    assert found.altered == ()
    assert "removed by hand" in found.as_text()


def test_a_first_run_that_was_killed_after_landing_goes_on(study):
    shutil.rmtree(study.releases)
    for path in (study.current, study.database, trail_path(study), study.root / HEAD):
        path.unlink()
    landed = study.landed.rename(study.root / "aside")
    shutil.rmtree(study.quarantine)
    start_trail(study)  # what a refresh does before it lands
    landed.rename(study.landed)
    assert verify(study).altered == ()
    refuse_altered(study)


def test_a_lost_trail_is_started_anew_and_says_so_for_ever(told):
    with pytest.raises(UsageError, match="there is a trail"):
        start_anew(told)
    trail_path(told).unlink()
    start_anew(told)
    refuse_altered(told)
    found = verify(told)
    assert found.altered == ()
    assert "started anew" in found.as_text()
    tell_and_publish(told, 5)
    assert verify(told).altered == ()
    rewrite(told.root / LEDGER, count_altered)
    assert LEDGER in {one.file for one in verify(told).altered}


def make_older(study) -> None:
    """Leave the study as versions before the protection did: no marks, no hashes of the ledger in the trail."""
    lines = [json.loads(line) for line in trail_path(study).read_text().splitlines()]
    for path in sorted(study.releases.glob("*/manifest.json")):
        write_json(path, {name: value for name, value in read_json(path).items() if name != "trail"})
    rewrite(study.root / LEDGER, lambda lines: [
        json.dumps({name: value for name, value in json.loads(line).items() if name != "trail"}) + "\n"
        for line in lines
    ])  # fmt: skip
    for path in (trail_path(study), study.root / HEAD):
        path.unlink()
    for line in lines:
        facts = line["facts"]
        if line["event"] == Event.PUBLISHED:
            manifest = study.releases / facts["release_id"] / "manifest.json"
            facts = {"release_id": facts["release_id"], "manifest_sha256": file_sha256(manifest)}
        append(study, Event(line["event"]), **facts)
    (study.root / HEAD).unlink()


def test_a_study_that_was_made_before_works_and_is_told_what_is_not_protected(told):
    make_older(told)
    found = verify(told)
    assert found.altered == ()
    assert "not protected" in found.as_text()
    refuse_altered(told)
    record_state(told)
    assert verify(told).altered == ()
    rewrite(told.root / LEDGER, count_altered)
    assert LEDGER in {one.file for one in verify(told).altered}


def test_in_a_study_made_before_a_deleted_or_altered_ledger_shows_by_what_the_releases_told(told):
    make_older(told)
    content = (told.root / LEDGER).read_text()
    rewrite(told.root / LEDGER, count_altered)
    assert LEDGER in {one.file for one in verify(told).altered}
    (told.root / LEDGER).unlink()
    assert LEDGER in {one.file for one in verify(told).altered}
    (told.root / LEDGER).write_text(content)
    assert verify(told).altered == ()


def test_what_cannot_be_known_is_said(told):
    found = verify(told)
    assert "cannot be known" in found.as_text()
    assert "--head" in found.as_text()
    assert "cannot be known" not in verify(told, found.head).as_text()


def test_every_release_and_line_says_how_long_the_trail_was(told):
    chain = read_chain(told)
    lines = [json.loads(line) for line in (told.root / LEDGER).read_text().splitlines()]
    manifests = [read_json(told.releases / line["release_id"] / "manifest.json") for line in lines]
    for line, manifest in zip(lines, manifests, strict=True):
        assert line["trail"] == manifest["trail"]
        assert chain.entries[line["trail"]["length"] - 1].hash == line["trail"]["head"]
    assert TOLD in manifests[0]["files"]
