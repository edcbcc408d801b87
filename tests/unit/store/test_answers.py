"""Answers: whole or not there, self-describing, found again by what they answer."""

from __future__ import annotations

import dataclasses
import errno
import json
import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from gsvr_tui.core.models import RequestState
from gsvr_tui.store import AnswerDamaged, AnswerHeader, AnswerStore, Store, StoreClosed, StoreReadOnly

HEADER = AnswerHeader("03abc-1", "03abc", 0, "key-1", "gemini-3-flash", "project", "teacher", 1.0, 2.5)


@pytest.fixture
def answers(tmp_path: Path) -> AnswerStore:
    return AnswerStore(tmp_path / "answers")


def test_an_answer_is_read_as_it_was_written(answers: AnswerStore) -> None:
    path = answers.write(HEADER, '{"text":"回答\n"}')
    answer = answers.read("03abc-1")
    assert answer.header == HEADER
    assert answer.text == '{"text":"回答\n"}'
    assert answers.has("03abc-1")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    first, rest = path.read_bytes().split(b"\n", 1)
    assert json.loads(first)["job_id"] == "03abc"
    assert json.loads(first)["answered_at"] == 2.5
    assert rest.decode() == answer.text


@pytest.mark.parametrize("body", [b"", b"\xff\x00\n\n", b"no line end", "half a surrogate \udc80"])
def test_any_body_survives(answers: AnswerStore, body: bytes | str) -> None:
    answers.write(HEADER, body)
    wanted = body if isinstance(body, bytes) else body.encode("utf-8", "surrogateescape")
    assert answers.read("03abc-1").body == wanted


def test_a_second_answer_to_the_same_request_takes_the_place_of_the_first(answers: AnswerStore) -> None:
    answers.write(HEADER, "one")
    answers.write(HEADER, "two")
    assert answers.read("03abc-1").text == "two"
    assert list(answers.request_ids()) == ["03abc-1"]


def test_no_answer_is_a_key_error(answers: AnswerStore) -> None:
    with pytest.raises(KeyError):
        answers.read("nobody")
    assert answers.header("nobody") is None
    assert not answers.has("nobody")
    assert list(answers.request_ids()) == []


@pytest.mark.parametrize("wrong", ["", "../x", "a/b", ".hidden", "a\n", "x" * 200, "ü"])
def test_an_id_that_could_leave_the_folder_is_refused(answers: AnswerStore, wrong: str) -> None:
    with pytest.raises(ValueError, match="request id"):
        answers.read(wrong)


def test_a_cut_or_changed_answer_is_noticed(answers: AnswerStore) -> None:
    path = answers.write(HEADER, "x" * 100)
    good = path.read_bytes()
    for bad in (good[:-1], good[:-1] + b"y", good[:20], b"", good.replace(b"size", b"sise")):
        path.write_bytes(bad)
        with pytest.raises(AnswerDamaged):
            answers.read("03abc-1")


def test_scanning_gives_the_headers_of_those_that_have_an_answer(answers: AnswerStore) -> None:
    answers.write(HEADER, "x")
    other = dataclasses.replace(HEADER, request_id="other", work_key="key-2")
    answers.write(other, "y")
    assert answers.scan(["03abc-1", "missing", "other"]) == {"03abc-1": HEADER, "other": other}


def test_pieces_of_a_stream_are_kept_until_the_answer_is_whole(answers: AnswerStore) -> None:
    answers.append_part("03abc-1", b"first ")
    answers.append_part("03abc-1", b"second")
    assert answers.read_part("03abc-1") == b"first second"
    assert not answers.has("03abc-1")
    assert list(answers.request_ids()) == []
    answers.write(HEADER, "first second")
    assert answers.read_part("03abc-1") is None
    answers.append_part("03abc-1", b"again")
    answers.drop_part("03abc-1")
    assert answers.read_part("03abc-1") is None


def test_an_answer_no_segment_knows_is_found_by_its_work_key(tmp_path: Path) -> None:
    AnswerStore(tmp_path).write(HEADER, "x")
    answers = AnswerStore(tmp_path)
    assert answers.find_by_work_key("key-1") == "03abc-1"
    assert answers.find_by_work_key("key-2") is None
    assert answers.find_by_work_key("") is None
    answers.write(dataclasses.replace(HEADER, request_id="later", work_key="key-2"), "y")
    assert answers.find_by_work_key("key-2") == "later"


def test_a_damaged_first_line_does_not_hide_the_others(tmp_path: Path) -> None:
    answers = AnswerStore(tmp_path)
    answers.write(dataclasses.replace(HEADER, request_id="bad", work_key="k"), "x").write_bytes(b"\xff\n")
    answers.write(HEADER, "x")
    assert AnswerStore(tmp_path).find_by_work_key("key-1") == "03abc-1"


def test_the_store_knows_its_answers_by_its_segments_and_keeps_them_when_the_job_goes(
    quick_store: Any, make: Any
) -> None:
    store: Store = quick_store()
    job = make.job()
    request = make.id()
    store.answers.write(dataclasses.replace(HEADER, request_id=request, job_id=job.id, work_key="w"), "x")
    transaction = store.begin()
    transaction.put_job(job)
    transaction.put_segment(make.segment(job, request_id=request, request_state=RequestState.ANSWERED, work_key="w"))
    transaction.commit().wait(10)
    assert store.answers.find_by_work_key("w") == request
    transaction = store.begin()
    transaction.delete_job(job.id)
    transaction.commit().wait(10)
    assert store.segment_by_work_key("w") is None
    assert store.answers.find_by_work_key("w") == request


def test_a_job_removed_after_the_first_search_keeps_its_answer_findable(quick_store: Any, make: Any) -> None:
    store: Store = quick_store()
    job, request = make.job(), make.id()
    header = dataclasses.replace(HEADER, request_id=request, job_id=job.id, work_key="w")
    AnswerStore(store.folder / "answers").write(header, "x")
    transaction = store.begin()
    transaction.put_segment(make.segment(job, request_id=request, request_state=RequestState.ANSWERED, work_key="w"))
    transaction.commit().wait(10)
    assert store.answers.find_by_work_key("something else") is None  # reads the first lines, all but the known
    transaction = store.begin()
    transaction.delete_segments(job.id)
    transaction.commit().wait(10)
    assert store.answers.find_by_work_key("w") == request


def test_a_full_disk_is_waited_for_until_the_store_is_closed(tmp_path: Path, faulty: Any) -> None:
    fs = faulty()
    stalled = threading.Event()
    answers = AnswerStore(
        tmp_path / "answers", fs, on_status=lambda status: stalled.set() if status.stalled else None, retry_s=(30, 30)
    )
    fs.break_now(errno.ENOSPC, "write")
    caught: list[BaseException] = []

    def write() -> None:
        try:
            answers.write(HEADER, "x")
        except StoreClosed as error:
            caught.append(error)

    thread = threading.Thread(target=write)
    thread.start()
    assert stalled.wait(10)
    answers.close()
    thread.join(10)
    assert len(caught) == 1
    assert not answers.has("03abc-1")


def test_an_answer_on_a_full_disk_gets_the_reserve(quick_store: Any, faulty: Any) -> None:
    class Full(faulty):  # type: ignore[misc]
        """No room for answers while the reserve is there."""

        def open(self, path: Path, *flags: int) -> int:
            if "answers" in path.parts and reserve.exists():
                raise OSError(errno.ENOSPC, "full")
            descriptor: int = super().open(path, *flags)
            return descriptor

    told: list[Any] = []
    store: Store = quick_store(filesystem=Full(), on_status=told.append)
    reserve = store.folder / "state.json.reserve"
    transaction = store.begin()
    transaction.put_meta("x", {})
    transaction.commit().wait(10)  # by then the reserve is made
    assert reserve.exists()
    store.answers.write(HEADER, "paid")
    assert store.answers.read("03abc-1").text == "paid"
    assert not reserve.exists()
    assert told == []


def test_a_folder_whose_name_may_not_be_on_disk_is_synced_again(tmp_path: Path, faulty: Any) -> None:
    synced: list[Path] = []

    class Recording(faulty):  # type: ignore[misc]
        def fsync_dir(self, folder: Path) -> None:
            super().fsync_dir(folder)
            synced.append(folder)

    fs = Recording()
    answers = AnswerStore(tmp_path / "answers", fs, retry_s=(0.001, 0.001))
    with fs._lock:
        fs.kinds, fs.first, fs.number, fs.left = {"fsync_dir"}, 1, errno.EIO, 1
    path = answers.write(HEADER, "x")
    assert synced == [tmp_path / "answers", tmp_path, path.parent]
    answers.write(HEADER, "y")
    assert synced[3:] == [path.parent]


def test_who_cannot_wait_gets_the_error(tmp_path: Path, faulty: Any) -> None:
    fs = faulty()
    answers = AnswerStore(tmp_path / "answers", fs, retry_s=(0.001, 0.001))
    fs.break_now(errno.EIO, "fsync")
    with pytest.raises(OSError, match="error"):
        answers.write(HEADER, "x", give_up_after_s=0.005)


def test_reading_only_refuses_to_write(tmp_path: Path) -> None:
    answers = AnswerStore(tmp_path, read_only=True)
    with pytest.raises(StoreReadOnly):
        answers.write(HEADER, "x")
    with pytest.raises(StoreReadOnly):
        answers.append_part("x", b"")
