"""Scratch directories: private, and not left behind."""

import os
from pathlib import Path
from signal import SIGKILL

import pytest

from service.scratch import scratch_directory
from tests.support.processes import Process, python
from tests.support.waiting import wait_until

#: Makes one, says so, and is killed before it can tidy up.
PROGRAM = """
import sys, time
from pathlib import Path
from service.scratch import scratch_directory
with scratch_directory(Path(sys.argv[1])) as directory:
    (directory / "figures").touch()
    print(directory, flush=True)
    time.sleep(60)
"""


def grow_old(directory: Path) -> None:
    os.utime(directory, (0, 0))


def in_another_process(place: Path, log: Path) -> tuple[Process, Path]:
    process = Process(python("-c", PROGRAM, str(place)), log=log)
    name = wait_until(lambda: process.output().strip(), 10, "it has made one")
    return process, Path(name)


def test_a_directory_is_private_and_goes_with_its_block(tmp_path: Path) -> None:
    with scratch_directory(tmp_path) as directory:
        (directory / "figures").touch()
        assert directory.stat().st_mode & 0o777 == 0o700

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("old", [True, False])
def test_a_directory_in_use_is_left_alone(old: bool, tmp_path: Path) -> None:
    with scratch_directory(tmp_path) as first:
        if old:
            grow_old(first)

        with scratch_directory(tmp_path) as second:
            assert first.is_dir()
            assert first != second


def test_what_a_killed_process_left_over_is_deleted(tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    process, left_over = in_another_process(place, tmp_path / "log")
    grow_old(left_over)
    with scratch_directory(place):
        assert left_over.is_dir()

    process.tell(SIGKILL)
    wait_until(lambda: not process.running, 10, "it is gone")
    with scratch_directory(place) as mine:
        assert list(place.iterdir()) == [mine]


def test_a_link_that_looks_like_one_is_not_followed(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    place = tmp_path / "place"
    place.mkdir()
    link = place / "anteroom-figures-link"
    link.symlink_to(precious)
    os.utime(link, (0, 0), follow_symlinks=False)

    with scratch_directory(place):
        assert precious.is_dir()
