"""The small parts of the journal, each by itself."""

import os
from pathlib import Path
from threading import Thread

import pytest

from gateway.errors import ServiceError
from gateway.storage.head_file import NAME, HeadFile, read_head
from gateway.storage.inbox import Inbox
from gateway.storage.port import GENESIS, Head, Limits
from gateway.storage.reserve import Reserve
from gateway.storage.segments import Segment, Segments
from gateway.storage.stamp import Stamp, read_boot_id, time_text
from gateway.storage.state_directory import LOCK, claim, state_dir

HEAD = Head(7, bytes(range(32)))


def test_the_head_file_says_the_newest_head(tmp_path: Path) -> None:
    file = HeadFile(tmp_path)
    file.write(Head(2**62, bytes(32)))
    file.write(HEAD)
    file.close()
    assert read_head(tmp_path) == HEAD


def test_a_damaged_head_file_says_nothing(tmp_path: Path) -> None:
    file = HeadFile(tmp_path)
    file.write(HEAD)
    file.close()
    whole = (tmp_path / NAME).read_bytes()
    for place in range(len(whole)):
        for bit in range(8):
            damaged = bytearray(whole)
            damaged[place] ^= 1 << bit
            (tmp_path / NAME).write_bytes(damaged)
            assert read_head(tmp_path) is None, (place, bit)
        (tmp_path / NAME).write_bytes(whole[:place])
        assert read_head(tmp_path) is None


def test_a_head_file_that_cannot_be_written_is_silent(tmp_path: Path) -> None:
    file = HeadFile(tmp_path / "missing")
    file.write(HEAD)
    file.close()
    assert read_head(tmp_path / "missing") is None


def test_the_state_directory_is_systemd_s_or_the_given_one_or_in_the_home(tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path)}
    assert state_dir({"STATE_DIRECTORY": "/var/lib/plantgate:/var/lib/other", **home}, "/srv", "x") == Path(
        "/var/lib/plantgate"
    )
    assert state_dir(home, "/srv/state", "x") == Path("/srv/state")
    assert state_dir(home, None, "boiler-house") == tmp_path / ".local/state/plantgate/boiler-house"


def test_the_directory_is_made_for_us_alone_and_is_claimed_once(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    with claim(folder):
        assert folder.stat().st_mode & 0o777 == 0o700
        with (
            pytest.raises(ServiceError, match=f"another gateway owns this directory .process {os.getpid()}."),
            claim(folder),
        ):
            pass
        (folder / LOCK).write_text("\x1b[2J")
        with pytest.raises(ServiceError, match="its process is not named"), claim(folder):
            pass
    with claim(folder):
        pass


def test_a_directory_that_cannot_be_one_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ServiceError, match="cannot keep the gateway's state here"), claim(tmp_path / "file"):
        pass


def test_a_reserve_holds_real_blocks_and_gives_them_back_once(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path, 65536)
    reserve.fill()
    reserve.fill()
    (file,) = tmp_path.iterdir()
    assert file.stat().st_blocks * 512 >= 65536
    assert reserve.release()
    assert not reserve.release()
    with pytest.raises(OSError, match=r".+"):
        Reserve(tmp_path, 2**60).fill()
    assert not list(tmp_path.iterdir())


def test_an_inbox_is_bounded_hands_out_the_urgent_first_and_ends_empty() -> None:
    inbox = Inbox[str](2)
    assert [inbox.put(item, urgent=False) for item in "abc"] == [True, True, False]
    assert inbox.put("trip", urgent=True)
    assert inbox.take(2, 0) == ["trip", "a"]
    assert inbox.take(5, 0) == ["b"]
    assert inbox.take(5, 0) == []
    inbox.put("last", urgent=False)
    inbox.close()
    assert not inbox.put("late", urgent=True)
    assert inbox.take(5, 60) == ["last"]
    assert inbox.take(5, 60) is None


def test_whoever_waits_at_an_inbox_is_woken() -> None:
    inbox, taken = Inbox[str](2), []
    thread = Thread(target=lambda: taken.append(inbox.take(1, 30)))
    thread.start()
    inbox.put("a", urgent=False)
    thread.join(30)
    assert taken == [["a"]]


def test_a_segment_is_sealed_when_it_is_full_and_the_oldest_goes_when_all_are_too_much() -> None:
    segments = Segments(GENESIS, [], 1, 100, Limits(size=250, segment=100))
    turnover = segments.plan(Head(10, b"ten"))
    assert turnover.sealed == Segment(1, 1, 10, 100, b"ten")
    assert not turnover.dropped
    segments.carry_out(turnover, 100)
    turnover = segments.plan(Head(20, b"twenty"))
    segments.carry_out(turnover, 60)
    assert (segments.size, segments.nearly_full) == (260, True)
    turnover = segments.plan(Head(26, b"x"))
    assert turnover.sealed is None
    assert [segment.number for segment in turnover.dropped] == [1]
    segments.carry_out(turnover, 10)
    assert segments.base == Head(10, b"ten")
    assert segments.size == 170
    assert segments.number == 3
    assert not segments.plan(Head(27, b"y")).records


class Clock:
    def monotonic(self) -> float:
        return 12.3456789

    def wall(self) -> float:
        return 1_767_225_600.25


def test_a_record_is_stamped_with_when_and_in_which_boot() -> None:
    stamp = Stamp(Clock(), "boot-1")
    assert stamp({"kind": "stop", "time": "mine"}) == {
        "kind": "stop", "time": "2026-01-01T00:00:00.250000Z", "monotonic": 12.345679, "boot": "boot-1",
    }  # fmt: skip
    assert time_text(float("nan")) == time_text(-5.0) == "1970-01-01T00:00:00.000000Z"
    assert len(read_boot_id()) in {0, 36}
