"""What is put is what is got, for any value there can be."""

from __future__ import annotations

import dataclasses
import json
import os
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gsvr_tui.core.ids import id_number, id_text
from gsvr_tui.core.models import (
    Batch,
    Job,
    JobState,
    Priority,
    ProbeFacts,
    Reason,
    RemoteFile,
    RequestState,
    Segment,
    Step,
    Usage,
    Verdict,
)
from gsvr_tui.store import UsageDay, codec
from gsvr_tui.store.journal import dump

ids = st.integers(0, (1 << 63) - 1).map(id_text)
text = st.text(st.characters(exclude_categories=()), max_size=30)  # lone surrogates, too
number = st.floats(allow_nan=False, allow_infinity=False)
count = st.integers(0, 1 << 53)

facts = st.builds(
    ProbeFacts,
    duration_s=number,
    size_bytes=count,
    mime_type=text,
    container=text,
    video_codec=text,
    audio_codec=text,
    width=count,
    height=count,
    fps=number,
    needs_remux=st.booleans(),
    mtime_ns=st.integers(-(1 << 70), 1 << 70),
    inode=st.integers(0, 1 << 64),
)
jobs = st.builds(
    Job,
    id=ids,
    batch_id=ids,
    path=text,
    created_at=number,
    name=text,
    size_bytes=count,
    state=st.sampled_from(JobState),
    step=st.sampled_from(Step),
    priority=st.sampled_from(Priority),
    attempts=count,
    crashes=count,
    reason=st.none() | st.builds(Reason, text, text, text),
    not_before=st.none() | number,
    probe=st.none() | facts,
    content_hash=text,
    project=text,
    account=text,
    model=text,
    verdict=st.none() | st.sampled_from(Verdict),
    cost_usd=number,
    tokens_in=count,
    tokens_out=count,
    outputs=st.lists(text, max_size=3).map(tuple),
    started_at=st.none() | number,
    finished_at=st.none() | number,
)
segments = st.builds(
    Segment,
    job_id=ids,
    index=st.integers(0, codec.MAX_SEGMENTS - 1),
    start_s=number,
    end_s=number,
    whole=st.booleans(),
    request_id=text,
    request_state=st.none() | st.sampled_from(RequestState),
    account=text,
    project=text,
    model=text,
    reserved_usd=number,
    cost_usd=number,
    usage=st.none() | st.builds(Usage, count, count, count, count, count, count, count),
    sent_at=st.none() | number,
    work_key=text,
)
texts = st.lists(text, max_size=3).map(tuple)
batches = st.builds(
    Batch,
    id=ids,
    name=text,
    created_at=number,
    template=text,
    template_version=text,
    model=text,
    output_dir=text,
    formats=texts,
    language=text,
    parameters=st.dictionaries(text, text | count | number | st.booleans(), max_size=3),
    fallback_models=texts,
    max_cost_usd=st.none() | number,
    roots=texts,
)
files = st.builds(RemoteFile, text, text, text, text, text, count, number, st.booleans())
days = st.builds(UsageDay, text, text, text, count, count, count, number, count)


@settings(max_examples=150)
@given(jobs)
def test_a_job_comes_back_as_it_was_put(job: Job) -> None:
    assert codec.decode_job(codec.number_of(job.id), codec.encode_job(job)) == job


@given(segments)
def test_a_segment_comes_back_as_it_was_put(segment: Segment) -> None:
    assert codec.decode_segment(codec.encode_segment(segment)) == segment
    number = codec.segment_number(segment.job_id, segment.index)
    assert divmod(number, codec.MAX_SEGMENTS) == (codec.number_of(segment.job_id), segment.index)


@given(batches)
def test_a_batch_comes_back_as_it_was_put(batch: Batch) -> None:
    assert codec.decode_batch(codec.number_of(batch.id), codec.encode_batch(batch)) == batch


@given(files, days)
def test_files_and_days_come_back_as_they_were_put(file: RemoteFile, day: UsageDay) -> None:
    assert codec.decode_remote_file(codec.encode_remote_file(file)) == file
    assert codec.decode_usage(codec.encode_usage(day)) == day


def test_a_name_that_is_not_utf8_is_kept_byte_for_byte_in_a_field_of_its_own(make: Any) -> None:
    path = os.fsdecode(b"/videos/\xff\xfe caf\xe9.mp4")
    job = make.job(path=path, outputs=("/out/ok.md", path + ".md"), name="fine")
    stored = codec.encode_job(job)
    document = json.loads(stored.decode("utf-8"))
    assert "path" not in document
    assert "path_b64" in document
    assert document["name"] == "fine"
    assert codec.decode_job(codec.number_of(job.id), stored) == job


def test_a_name_that_looks_like_a_field_name_is_no_trap(make: Any) -> None:
    job = make.job(path='/v/"batch_id":"x","request_state":"open"_b64":".mp4')
    assert codec.decode_job(codec.number_of(job.id), codec.encode_job(job)) == job


def test_a_queued_job_is_a_small_document(make: Any) -> None:
    assert len(codec.encode_job(make.job())) < 150
    assert json.loads(codec.encode_job(make.job())).keys() == {"batch_id", "path", "created_at"}


def test_every_field_of_every_value_is_stored(make: Any) -> None:
    """A field added to a model and forgotten here would silently be lost."""
    for of, example in (
        (ProbeFacts, ProbeFacts(1.0, 2, "a", "b", "c")),
        (RemoteFile, RemoteFile("n", "u", "m", "p", "h", 1, 2.0)),
        (Segment, make.segment(make.job())),
        (Job, make.job()),
        (Batch, make.batch()),
        (Usage, Usage()),
        (UsageDay, UsageDay("p", "m", "d")),
    ):
        assert dataclasses.fields(example) == dataclasses.fields(of)
    job = make.job(**{field.name: 1 for field in dataclasses.fields(Job) if field.name in ("attempts", "crashes")})
    assert {"attempts", "crashes"} <= json.loads(codec.encode_job(job)).keys()


@pytest.mark.parametrize("wrong", ["", "short", "0" * 14, "U" * 13, "000000000000A", "z" * 13, "0/0000000000x"])
def test_an_id_in_another_spelling_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="not"):
        codec.number_of(wrong)


@given(st.integers(0, (1 << 63) - 1))
def test_document_ids_are_the_numbers_behind_the_ids(number: int) -> None:
    assert codec.number_of(id_text(number)) == number == id_number(id_text(number))


def test_a_big_id_fits(make: Any) -> None:
    job = make.job(id=id_text((1 << 63) - 1))
    assert codec.decode_job(codec.number_of(job.id), codec.encode_job(job)) == job
    assert dump({"n": codec.segment_number(job.id, 4095)})
