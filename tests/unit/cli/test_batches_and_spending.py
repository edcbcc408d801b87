"""Finding batches and jobs by what people call them; the price of a run; when it may start."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gsvr_tui.commands import batches as batches_module
from gsvr_tui.commands.batches import find_batch, find_jobs, holder, reading
from gsvr_tui.commands.guard import Complaint
from gsvr_tui.commands.spending import agree
from gsvr_tui.config.models_file import load_catalogue
from gsvr_tui.config.places import Places, find_places
from gsvr_tui.core.models import Account, Batch, Job, KeyRef
from gsvr_tui.core.scheduling import SegmentNeed
from gsvr_tui.media.files import FoundVideo, find_videos
from gsvr_tui.media.samples import ClipSpec, make_clip
from gsvr_tui.service.planning import Estimate, VideoPlan, estimate_videos
from gsvr_tui.store import Store

FIRST, SECOND = "0000000000001", "0000000000002"
WALL = 1_795_506_000.0


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """A state with two batches of one name and a job in each."""
    found = find_places({"GSVR_HOME": str(tmp_path)})
    found.ensure()
    store = Store.open(found.state)
    change = store.begin()
    for number, batch in ((11, FIRST), (12, SECOND)):
        change.put_batch(Batch(batch, "Lectures", float(number), "summary_report", "1", "m", "/out"))
        change.put_job(Job(f"{number:013d}", batch, f"/v{number}/a.mp4", 0.0, name="a.mp4"))
    change.commit().wait()
    store.close()
    return found


def test_a_batch_is_found_by_id_start_or_name(places: Places) -> None:
    with reading(places) as store:
        assert find_batch(store, FIRST).id == FIRST
        assert find_batch(store, SECOND.upper()).id == SECOND
        assert find_batch(store, "Lectures").id == SECOND  # the newest of that name
        with pytest.raises(Complaint, match="the start of 2 batches"):
            find_batch(store, "0000000")
        with pytest.raises(Complaint, match="there is no batch 000"):
            find_batch(store, "000")  # too short to mean one


def test_jobs_are_found_by_id_name_path_and_batch(places: Places) -> None:
    with reading(places) as store:
        assert [job.id for job in find_jobs(store, ("0000000000011",))] == ["0000000000011"]
        assert [job.id for job in find_jobs(store, ("/v12/a.mp4",))] == ["0000000000012"]
        assert [job.id for job in find_jobs(store, (FIRST,))] == ["0000000000011"]
        assert len(find_jobs(store, ("a.mp4", FIRST, "0000000000012"))) == 2
        with pytest.raises(Complaint, match=r"there is no job b\.mp4"):
            find_jobs(store, ("b.mp4",))


def test_who_is_at_work_is_seen_without_a_lock(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    assert holder(places) == ""  # it was this process, and it has closed
    store = Store.open(places.state)
    try:
        monkeypatch.setattr(os, "getpid", lambda: -1)
        assert holder(places).startswith("process ")
        monkeypatch.setattr(batches_module, "_alive", lambda pid: False)
        assert holder(places) == ""
    finally:
        store.close()


# ---------------------------------------------------------------- the price


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> tuple[FoundVideo, ...]:
    """Two videos and a text."""
    folder = tmp_path_factory.mktemp("v")
    for number in range(2):
        make_clip(folder / f"{number}.mp4", ClipSpec(5, 48, 32, 2, seed=number))
    (folder / "x.mp4").write_text("no video")
    return find_videos([folder]).videos


def account(name: str, tier: str) -> Account:
    """An account in a project of its own."""
    return Account(name, name, KeyRef("memory", name), tier=tier)


def test_videos_are_priced_with_a_range_and_bad_ones_are_named(videos: tuple[FoundVideo, ...], tmp_path: Path) -> None:
    catalogue = load_catalogue(tmp_path / "none")
    found = estimate_videos(videos, "gemini-3.8-flash", catalogue, [account("a", "tier1")], WALL)
    assert [bool(plan.problem) for plan in found.videos] == [False, False, True]
    usual, low, high = found.usd()
    assert 0 < low < usual < high
    free = estimate_videos(videos, "gemini-3.8-flash", catalogue, [account("a", "free")], WALL)
    assert free.free
    assert free.usd() == (0.0, 0.0, 0.0)


def test_a_sample_is_scaled_to_all(videos: tuple[FoundVideo, ...], tmp_path: Path) -> None:
    catalogue = load_catalogue(tmp_path / "none")
    good = videos[:2]
    whole = estimate_videos(good, "gemini-3.8-flash", catalogue, [], WALL)
    sampled = estimate_videos(good, "gemini-3.8-flash", catalogue, [], WALL, sample=1)
    assert sampled.looked_into == 1
    assert sampled.usd()[0] == pytest.approx(whole.usd()[0], rel=0.05)


# ---------------------------------------------------------------- may it start


def priced(usd: float, *, free: bool = False) -> Estimate:
    """A run of one video at this price."""
    plan = VideoPlan(FoundVideo(Path("/v"), Path("/"), "v"), None, (SegmentNeed(0, 1, usd),), 0, usd, usd, usd)
    return Estimate("m", (plan,), 1, free)


@pytest.mark.parametrize(
    ("usd", "cap", "free", "starts"),
    [
        (0.9, None, False, True),
        (1.1, None, False, False),
        (1.1, 5.0, False, True),
        (100.0, None, True, True),
    ],
)
def test_where_nobody_can_be_asked_cheap_capped_and_free_runs_start(
    usd: float, cap: float | None, free: bool, starts: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gsvr_tui.commands.spending.is_terminal", lambda stream: False)
    if starts:
        agree(priced(usd, free=free), cap=cap, output="/out")
    else:
        with pytest.raises(Complaint) as caught:
            agree(priced(usd, free=free), cap=cap, output="/out")
        assert "--max-cost" in caught.value.advice


@pytest.mark.parametrize(
    ("usd", "cap", "asked"), [(0.5, None, True), (0.5, 5.0, False), (1.5, 5.0, True), (1.5, None, True)]
)
@pytest.mark.parametrize("answer", [True, False])
def test_on_a_terminal_a_person_is_asked_about_dear_and_uncapped_runs(
    usd: float, cap: float | None, asked: bool, answer: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    questions = []

    def confirm(text: str, **options: object) -> bool:
        questions.append(text)
        return answer

    monkeypatch.setattr("gsvr_tui.commands.spending.is_terminal", lambda stream: True)
    monkeypatch.setattr("gsvr_tui.commands.spending.click.confirm", confirm)
    if asked and not answer:
        with pytest.raises(Complaint, match="nothing was sent"):
            agree(priced(usd), cap=cap, output="/out")
    else:
        agree(priced(usd), cap=cap, output="/out")
    assert len(questions) == asked
