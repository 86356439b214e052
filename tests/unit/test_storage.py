import os

import pytest

from outcomes.store.files import (
    file_sha256,
    new_folder,
    read_json,
    remove_leftovers,
    swap_symlink,
    write_json,
    write_text,
)


def test_a_failed_write_leaves_the_old_text_and_nothing_aside(tmp_path, monkeypatch):
    target = tmp_path / "note.txt"
    write_text(target, "old")

    def full(_handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_text(target, "new")
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["note.txt"]


def test_json_comes_back_as_it_was_written(tmp_path):
    write_json(tmp_path / "a.json", {"b": [1, 2], "ä": None})
    assert read_json(tmp_path / "a.json") == {"b": [1, 2], "ä": None}


def test_a_new_folder_appears_whole_or_not_at_all(tmp_path):
    def half(folder):
        with new_folder(folder) as aside:
            (aside / "part").write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half(tmp_path / "batch")
    assert list(tmp_path.iterdir()) == []
    with new_folder(tmp_path / "batch") as aside:
        (aside / "part").write_text("whole")
        assert not (tmp_path / "batch").exists()
    assert (tmp_path / "batch" / "part").read_text() == "whole"


def test_an_existing_folder_is_never_replaced(tmp_path):
    for text in ("first", "second"):
        with new_folder(tmp_path / "batch") as aside:
            (aside / "part").write_text(text)
    assert (tmp_path / "batch" / "part").read_text() == "first"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_symlink_is_swapped_in_one_step(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    swap_symlink(tmp_path / "current", "one")
    swap_symlink(tmp_path / "current", "two")
    assert os.readlink(tmp_path / "current") == "two"


def test_leftovers_of_killed_writers_are_removed(tmp_path):
    (tmp_path / ".aside-1").mkdir()
    (tmp_path / ".aside-1" / "x").write_text("x")
    (tmp_path / ".aside-2").write_text("x")
    (tmp_path / "kept").write_text("x")
    assert remove_leftovers(tmp_path) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    assert remove_leftovers(tmp_path / "no such folder") == 0


def test_a_files_hash_is_sha256(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")  # FIPS 180-2, appendix B.1
    assert file_sha256(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
