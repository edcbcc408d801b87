"""Scenes: snapshots that show the screens in ordinary and in extreme moments. All times are relative to `at`."""

from __future__ import annotations

from collections.abc import Sequence

from gsvr_tui.core.messages import (
    AccountRow,
    BatchRow,
    JobDetail,
    JobRow,
    LogLine,
    PlanOption,
    PlanReady,
    QuotaRow,
    RunState,
    Snapshot,
    Status,
    TimelineEntry,
)
from gsvr_tui.core.models import AccountHealth, JobState, KeyRef, Priority, Step, Verdict

MODEL = "gemini-flash-latest"
NASTY = (
    "[/oops] [red]not red[/red].mp4",
    "\x1b[31mred\x1b[0m\x07 bell.mp4",
    "gpj.\u202eexe right-to-left.mp4",
    "\udcff\udcfe not utf-8.mp4",
    "讲座/第三周-细胞膜与物质运输的基本原理与实验方法总结.mp4",
    "tab\there\nand newline.mp4",
    "[@click=app.quit]click me[/].mp4",
    "e\u0301\u0301\u0301\u0301 zalgo 👩‍👩‍👧‍👦 family.mp4",
    "x" * 400 + ".mp4",
    "",
    "$name {name} %s \\[x] [[x]].mp4",
)

_NAMES = (
    "bio101/week-03-cells.mp4",
    "bio101/week-03-lab.mp4",
    "bio101/week-04-membranes.mp4",
    "bio101/week-04-lab.mp4",
    "bio101/week-05-transport.mp4",
    "chem/2024-11-05-stoichiometry-and-the-limiting-reagent.mp4",
    "chem/2024-11-07-gases.mp4",
    "phys/intro.mp4",
    "phys/optics-1.mp4",
    "phys/optics-2.mp4",
    "phys/optics-3.mp4",
    "历史/第一讲-丝绸之路.mp4",
    "历史/第二讲-唐代的城市.mp4",
    "seminar/2025-02-12-guest-lecture.mkv",
    "seminar/2025-02-19-discussion.mkv",
    "seminar/2025-02-26-closing.mkv",
)


def job(number: int, name: str, state: JobState = JobState.QUEUED, step: Step = Step.PROBE, **more: object) -> JobRow:
    """A row with an id made of its number."""
    fields: dict[str, object] = {"duration_s": 1800.0 + (number * 997) % 4200, "batch_id": "b1"} | more
    return JobRow(id=f"job{number:07d}", name=name, state=state, step=step, **fields)  # type: ignore[arg-type]


def batch(at: float) -> BatchRow:
    """The one batch of the scenes."""
    return BatchRow("b1", "spring lectures", at - 7200, "lecture-notes", MODEL, "/home/ada/reports")


def working_jobs(at: float) -> list[JobRow]:
    """A dozen and more jobs in every state."""
    done, run, wait = JobState.DONE, JobState.RUNNING, JobState.WAITING
    names = iter(_NAMES)

    def add(state: JobState, step: Step, **more: object) -> JobRow:
        return job(len(rows), next(names), state, step, **more)

    rows: list[JobRow] = []
    lab = {"account": "lab-a", "project": "vid-1", "model": MODEL}
    rows.append(add(run, Step.GENERATE, progress=0.35, **lab))
    rows.append(add(run, Step.UPLOAD, progress=0.64, account="lab-b", project="vid-2"))
    rows.append(add(run, Step.CHECK, cost_usd=0.0203, **lab))
    rows.append(add(JobState.QUEUED, Step.PROBE, priority=Priority.HIGH))
    rows.append(add(wait, Step.PROCESS, until=at + 40, note="file is being prepared"))
    rows.append(add(JobState.QUEUED, Step.UPLOAD))
    rows.append(
        add(
            wait,
            Step.GENERATE,
            until=at + 5400,
            note="quota for today used up",
            advice="Goes on by itself; another account (2) would be sooner.",
            project="vid-2",
        )
    )
    rows.append(
        add(
            JobState.FAILED,
            Step.PROBE,
            note="no sound track, and the template needs one",
            advice="Choose a template that works without speech, or cancel it (x).",
            cost_usd=0.004,
        )
    )
    rows.append(
        add(
            JobState.PARTIAL,
            Step.END,
            note="gap 31:02–34:10",
            advice="The report says so; retry (r) asks for the missing part again.",
            verdict=Verdict.PARTIAL,
            cost_usd=0.019,
            **lab,
        )
    )
    rows.append(add(done, Step.END, verdict=Verdict.OK, cost_usd=0.0184, **lab))
    rows.append(add(done, Step.END, verdict=Verdict.REPAIRED, cost_usd=0.0231, **lab))
    rows.append(add(done, Step.END, verdict=Verdict.OK, cost_usd=0.0198, **lab))
    rows.append(add(JobState.HELD, Step.UPLOAD))
    rows.append(add(JobState.CANCELLED, Step.END))
    rows.append(add(JobState.QUEUED, Step.PROBE))
    rows.append(add(JobState.QUEUED, Step.PROBE, priority=Priority.LOW))
    return rows


def accounts(at: float) -> tuple[AccountRow, ...]:
    """Four accounts on three projects."""

    def account(name: str, project: str, tail: str, health: AccountHealth, **more: object) -> AccountRow:
        return AccountRow(name, project, tail, KeyRef("keyring", name), "free", health, **more)  # type: ignore[arg-type]

    return (
        account(
            "lab-a",
            "vid-1",
            "x7Qa",
            AccountHealth.OK,
            in_flight=2,
            why="takes the next job: 2 of 10 requests a minute are free, and the file would be there in 40 s",
        ),
        account(
            "lab-b", "vid-2", "k02M", AccountHealth.OK, in_flight=1, why="next at 09:30, when the project's day begins"
        ),
        account("lab-c", "vid-2", "Pz9r", AccountHealth.RESTING, until=at + 5400, note="quota for today used up"),
        account(
            "lab-d",
            "vid-4",
            "aa10",
            AccountHealth.DEAD_KEY,
            note="the service says the key is not valid",
            advice="Make a new key for the project and put it in the place of this one (e).",
        ),
    )


def quota(at: float) -> tuple[QuotaRow, ...]:
    """Two projects in use."""
    reset = at + 9 * 3600
    return (
        QuotaRow(
            "vid-1",
            MODEL,
            6,
            2,
            10,
            412_000,
            1_000_000,
            412,
            500,
            reset,
            limit_source="tier",
            tokens_day_used=81_400_000,
            per_minute=(0, 2, 5, 8, 9, 7, 8, 10, 6, 6),
        ),
        QuotaRow(
            "vid-2",
            MODEL,
            9,
            1,
            10,
            910_000,
            1_000_000,
            500,
            500,
            reset,
            at + 5400,
            "day used up",
            "429",
            spent_10min_usd=1.2,
            spend_limit_usd=10.0,
            paced=True,
            learned_at=at - 7200,
        ),
        QuotaRow("vid-1", "gemini-pro-latest", 0, 0, None, 0, None, 3, None, reset),
        QuotaRow("vid-1", "gemini-lite-latest", 0, 0, 15, 0, 250_000, 0, 500, reset),
    )


def status_of(rows: Sequence[JobRow], state: RunState = RunState.RUNNING, **more: object) -> Status:
    """A status whose counts are those of the rows."""
    counts: dict[JobState, int] = {}
    for row in rows:
        counts[row.state] = counts.get(row.state, 0) + 1
    return Status(state, counts=counts, **more)  # type: ignore[arg-type]


def working(at: float) -> Snapshot:
    """An ordinary moment."""
    rows = working_jobs(at)
    status = status_of(
        rows, in_flight=3, workers=4, rate_per_hour=41, ends_at=at + 7 * 3600, spent_usd=3.12, cap_usd=10.0
    )
    return Snapshot(
        status, (batch(at),), tuple(rows), accounts(at), quota(at),
        templates=("lecture-notes", "summary"), models=(MODEL, "gemini-pro-latest"),
    )  # fmt: skip


def empty(at: float, *, with_accounts: bool = True) -> Snapshot:
    """Nothing to do yet."""
    rows = accounts(at)[:1] if with_accounts else ()
    return Snapshot(Status(RunState.IDLE), (), (), rows, (), templates=("lecture-notes",), models=(MODEL,))


def hostile(at: float) -> Snapshot:
    """Every text from outside is out to do harm."""
    states = list(JobState)
    rows = [
        job(
            i, name, states[i % len(states)], Step.GENERATE, note=NASTY[(i + 3) % len(NASTY)], advice=name, account=name
        )
        for i, name in enumerate(NASTY)
    ]
    bad = AccountRow(
        NASTY[0], NASTY[1], "[/x]", KeyRef("env", NASTY[2]), "free", AccountHealth.DEAD_KEY, NASTY[0], NASTY[6]
    )
    use = QuotaRow(NASTY[1], NASTY[0], 3, 1, 10, 5, 10, 3, None, at + 60, None, NASTY[1])
    status = status_of(rows, RunState.BLOCKED, reason=NASTY[0], advice=NASTY[1])
    return Snapshot(status, (batch(at),), tuple(rows), (bad,), (use,), base_url="[/http]", templates=(NASTY[0],))


def many(at: float, count: int) -> Snapshot:
    """A library of `count` videos, most of them waiting."""
    cycle = (JobState.DONE,) * 12 + (JobState.QUEUED,) * 86 + (JobState.FAILED, JobState.PARTIAL)
    rows = tuple(
        job(
            i,
            f"course-{i // 500:03d}/week-{i // 20 % 25:02d}/lecture-{i:06d}.mp4",
            cycle[i % 100],
            Step.END if i % 100 < 12 or i % 100 > 97 else Step.PROBE,
            cost_usd=0.02 if i % 100 < 12 else 0.0,
            note="no sound track" if i % 100 == 98 else "",
        )
        for i in range(count)
    )
    return Snapshot(status_of(rows, in_flight=4, rate_per_hour=120), (batch(at),), rows, accounts(at), quota(at))


def detail(row: JobRow, at: float) -> JobDetail:
    """A job with everything there is to show."""
    return JobDetail(
        row=row,
        path=f"/home/ada/videos/{row.name}",
        facts=(("length", "52:10"), ("size", "412 MB"), ("picture", "1280×720 h264"), ("sound", "aac")),
        timeline=(
            TimelineEntry(at - 1800, "queued"),
            TimelineEntry(at - 900, "uploaded 412 MB to vid-1"),
            TimelineEntry(at - 700, "generate 1 of 1, lab-a"),
            TimelineEntry(at - 640, "per-minute limit met, rests 22 s", "warning"),
            TimelineEntry(at - 120, "answer kept, 6,204 tokens"),
        ),
        findings=(
            ("covers to the end", "pass", "52:08 of 52:10"),
            ("no gap", "warn", "31:02–34:10 is thin"),
            ("language", "pass", "en"),
        ),
        answer='{"title": "Cells", "sections": [{"start": "00:00", "heading": "Introduction"}]}',
        report=(
            "# Cells\n\nThe lecture introduces the cell.\n\n## 00:00 Introduction\n\n"
            "* what a cell is\n* [a link](https://example.org/x) and ![an image](https://example.org/i.png)\n\n"
            "| term | meaning |\n|---|---|\n| membrane | the wall |\n"
        ),
        outputs=("/home/ada/reports/bio101/week-03-cells.md", "/home/ada/reports/bio101/week-03-cells.json"),
        tokens_in=812_400,
        tokens_out=6_204,
    )


def log_lines(at: float) -> tuple[LogLine, ...]:
    """Some of each level, one repeated."""
    job_id = "job0000000"
    return (
        LogLine(at - 62.3, "info", "gen", "sent, 812,400 tokens reserved", job_id, "lab-b", {"attempt": "1"}),
        LogLine(at - 60.6, "warning", "quota", "per-minute limit met, rests 22 s", "", "lab-b", {"project": "vid-2"}),
        LogLine(at - 59.4, "error", "probe", "phys/intro.mp4: no sound track", "job0000007", "", {"code": "NO_AUDIO"}),
        LogLine(at - 31.0, "debug", "store", "journal synced, 14 records", "", "", {"bytes": "4,120"}),
        LogLine(at - 12.5, "info", "upload", "bio101/week-03-lab.mp4: 64 %", "job0000001", "lab-b", {}),
        LogLine(at - 2.0, "info", "gate", "report checked: ok", "job0000002", "lab-a", {"checks": "9"}),
    )


def plan(command_id: str, at: float, *, cap_usd: float | None = 10.0) -> PlanReady:
    """A library of lectures, with all ways to do it."""
    day, hour = 86400.0, 3600.0

    def option(name: str, hours: float, spread: float, usd: float, limit: str, note: str = "") -> PlanOption:
        seconds = hours * hour
        shares = (("lab-a", 251), ("lab-b", 161)) if name != "one more account" else (
            ("lab-a", 148), ("lab-b", 116), ("one more", 148),
        )  # fmt: skip
        return PlanOption(
            name, at + seconds, at + seconds * (1 - spread), at + seconds * (1 + spread), usd, usd * 0.62, usd * 1.7,
            420, 351 * 3600 * 100, limit, note, shares,
        )  # fmt: skip

    return PlanReady(
        command_id, 412, 351 * hour, 184_000_000_000, "lecture-notes", MODEL,
        (
            option("now", 34.7, 0.3, 8.1, "requests per day (lab-a, lab-b)"),
            option("one more account", 14.2, 0.3, 8.1, "tokens per minute", "another owner's project, like lab-a"),
            option("fallback model", 20.1, 0.3, 2.4, "requests per day (lab-a, lab-b)", "gemini-lite-latest"),
            option("paid tier", 3.6, 0.05, 21.3, "workers", "billing switched on"),
        ),
        split=8,
        skipped=(
            ("/home/ada/videos/phys/intro.mp4", "no sound track, and the template needs one"),
            ("/home/ada/videos/seminar/[red]broken[/].mkv", "the file ends in the middle"),
        ),
        warnings=(f"{MODEL} is to be shut down in {int(20 * day // day)} days",),
        cap_usd=cap_usd,
        inside_cap=True,
    )  # fmt: skip
