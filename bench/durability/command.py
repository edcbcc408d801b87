"""The command line, the lanes and the table."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass
from pathlib import Path
from random import SystemRandom
from typing import Any

from bench.durability.faults import FaultFigures, run_faults
from bench.durability.kills import Campaign, Lane
from bench.durability.soak import SoakFigures, run_soak
from bench.durability.store_figures import Figure, store_figures
from bench.durability.world import original_clip

PARTS = ("kills", "faults", "soak", "state")


@dataclass(frozen=True, slots=True)
class Size:
    """How much of everything."""

    kills: int
    jobs: int  # of the run with faults
    long: int  # jobs of the long run
    documents: int


SIZES = {"small": Size(20, 60, 200, 2_000), "full": Size(1_000, 500, 20_000, 100_000)}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python bench/durability.py", description="Nothing lost, nothing paid twice?")
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="of it only these (default: all)")
    parser.add_argument("--size", choices=list(SIZES), default=os.environ.get("GSVR_DURABILITY", "small"))
    parser.add_argument("--kills", type=int, help="kills that hit")
    parser.add_argument("--jobs", type=int, help="jobs of the run with faults")
    parser.add_argument("--long", type=int, help="jobs of the long run")
    parser.add_argument("--documents", type=int, help="jobs in the state store")
    parser.add_argument("--lanes", type=int, default=1, help="campaigns of kills side by side")
    parser.add_argument("--seed", type=int, default=0, help="0: another one every time; it is printed")
    parser.add_argument("--keep", type=Path, help="work in this new folder and leave everything there")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the figures as JSON")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when nothing was lost, redone or paid twice and everything was done; else 1."""
    options = _parser().parse_args(arguments)
    if options.size not in SIZES:
        raise SystemExit(f"GSVR_DURABILITY: {options.size!r} is neither of {', '.join(SIZES)}")
    size = SIZES[options.size]
    size = Size(
        options.kills or size.kills,
        options.jobs or size.jobs,
        options.long or size.long,
        options.documents or size.documents,
    )
    seed = options.seed or SystemRandom().getrandbits(31)
    parts = options.parts or PARTS
    print(f"seed {seed}, Python {platform.python_version()}, {os.cpu_count()} CPUs, {platform.system()}", flush=True)
    if options.keep is not None:
        return _all(options.keep, parts, size, seed, options.lanes, options.out)
    with tempfile.TemporaryDirectory(prefix="gsvr-durability-") as name:
        return _all(Path(name), parts, size, seed, options.lanes, options.out)


def _all(folder: Path, parts: Sequence[str], size: Size, seed: int, lanes: int, out: Path | None) -> int:
    original = original_clip(folder / "original")
    document: dict[str, Any] = {"seed": seed, "python": platform.python_version(), "system": platform.platform()}
    good = True
    if "kills" in parts:
        campaign = run_kills(folder / "kills", original, seed, size.kills, lanes)
        good = good and show_kills(campaign)
        document["kills"] = kills_document(campaign)
    if "faults" in parts:
        figures = run_faults(folder / "faults", original, size.jobs, seed)
        good = good and show_faults(figures)
        document["faults"] = faults_document(figures)
    if "soak" in parts:
        soak = run_soak(folder / "soak", original, size.long, seed)
        good = good and show_soak(soak)
        document["soak"] = vars(soak) | {"looks": [asdict(look) for look in soak.looks]}
    if "state" in parts:
        print(f"\nState store, {size.documents:,} jobs")
        measured = []
        for figure in store_figures(size.documents):
            measured.append(figure)
            _row(figure[0], f"{figure[1]:,.3f} {figure[2]}")
        document["state"] = [dict(zip(("name", "value", "unit"), figure, strict=True)) for figure in measured]
        document["documents"] = size.documents
        good = good and _store_holds(measured)
    if out is not None:
        out.write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return 0 if good else 1


def run_kills(folder: Path, original: bytes, seed: int, kills: int, lanes: int) -> Campaign:
    """All lanes, side by side."""
    started = time.monotonic()
    shares = [kills // lanes + (number < kills % lanes) for number in range(lanes)]
    made: list[Lane] = []

    def tell(_: Campaign) -> None:
        print(f"{sum(lane.campaign.killed for lane in made)} of {kills} kills", file=sys.stderr, flush=True)

    made += [Lane(folder / f"lane-{n}", original, seed + n, share, tell) for n, share in enumerate(shares)]
    total = Campaign(seed)
    with ThreadPoolExecutor(lanes) as pool:
        running = [pool.submit(lane.run) for lane in made]
        try:
            wait(running)
        except KeyboardInterrupt:
            print("ending; what was done so far is shown", file=sys.stderr)
            for lane in made:
                lane.stop = True
    for campaign in (future.result() for future in running):
        total.take(campaign)
    total.seconds = time.monotonic() - started
    return total


# ---------------------------------------------------------------- the tables


def _row(name: str, value: object) -> None:
    print(f"  {name:<62} {value!s:>16}", flush=True)


def _listed(what: str, texts: list[str]) -> None:
    _row(what, len(texts))
    for text in texts[:20]:
        print(f"      {text}")


def show_kills(campaign: Campaign) -> bool:
    """The table; True when nothing is wrong."""
    print(f"\nKills of the real program ({campaign.seconds:.0f} s)")
    _row("SIGKILLs that hit a running program", campaign.killed)
    _row("  of them aimed", f"{campaign.aimed} ({campaign.aimed / max(1, campaign.killed):.0%})")
    for aim, count in sorted(campaign.kills.items()):
        _row(f"    {aim}", count)
    _row("starts that ended before the kill", campaign.missed)
    _row("batches / jobs / paid requests", f"{campaign.batches} / {campaign.jobs} / {campaign.requests}")
    _listed("jobs lost", campaign.wrong("lost"))
    _listed("finished jobs redone", campaign.wrong("redone"))
    _listed("paid twice beyond those in flight at a kill", campaign.wrong("paid_twice"))
    _listed("states that could not be opened after a kill", campaign.wrong("damaged"))
    _listed("requests the ledger of use does not know", campaign.wrong("uncounted"))
    _row("asked again because a kill left the outcome unknown", sum(v.in_flight_again for v in campaign.verdicts))
    gaps = sorted(gap for verdict in campaign.verdicts for gap in verdict.answer_gaps_s)
    _row("  of them answered by the service, killed before it was on disk", len(gaps))
    if gaps:
        _row(
            "    time between the two, median / longest", f"{gaps[len(gaps) // 2] * 1e3:.0f} / {gaps[-1] * 1e3:.0f} ms"
        )
    _row("jobs set aside as suspects (and released)", campaign.set_aside)
    kinds = ("lost", "redone", "paid_twice", "damaged", "uncounted")
    return not any(campaign.wrong(kind) for kind in kinds)


def kills_document(campaign: Campaign) -> dict[str, Any]:
    """The same as data."""
    kinds = ("lost", "redone", "paid_twice", "damaged", "uncounted")
    return {
        "killed": campaign.killed,
        "aimed": campaign.aimed,
        "by_aim": dict(campaign.kills),
        "missed": campaign.missed,
        "batches": campaign.batches,
        "jobs": campaign.jobs,
        "requests": campaign.requests,
        "seconds": campaign.seconds,
        "in_flight_again": sum(verdict.in_flight_again for verdict in campaign.verdicts),
        "answer_gaps_s": [gap for verdict in campaign.verdicts for gap in verdict.answer_gaps_s],
        **{kind: campaign.wrong(kind) for kind in kinds},
    }


def show_faults(figures: FaultFigures) -> bool:
    """The table; True when all is done and no attempt was used up by rotation."""
    print(f"\nFaults of the service ({figures.seconds:.0f} s)")
    _row("jobs / done", f"{figures.jobs} / {figures.done} ({figures.done / figures.jobs:.1%})")
    if figures.done < figures.jobs:
        _row("  how they ended", dict(figures.ends))
    _row("paid requests / faults put into them", f"{figures.requests} / {figures.fault_share:.1%}")
    for name, count in sorted(figures.faults.items()):
        _row(f"    {name}", count)
    _row("answered 429 by limits nobody had told us", figures.rejected)
    _row("answers that were no good / attempts used", f"{figures.item_faults} / {figures.attempts}")
    _row("attempts used up by rotation", figures.attempts_by_rotation)
    _row("good answers asked for again", figures.good_answers_again)
    return figures.done == figures.jobs and not figures.attempts_by_rotation


def faults_document(figures: FaultFigures) -> dict[str, Any]:
    """The same as data."""
    return {name: dict(value) if isinstance(value, dict) else value for name, value in vars(figures).items()} | {
        "fault_share": figures.fault_share
    }


MOST_GROWTH_MB = 15.0
"""Of memory for 1,000 jobs: what the records of finished jobs take, and what the allocator keeps."""


def show_soak(figures: SoakFigures) -> bool:
    """The table; True when nothing grows that should not."""
    print(f"\nLong run ({figures.seconds:.0f} s, {figures.hours:.1f} h of the service's time)")
    _row("jobs / done", f"{figures.jobs} / {figures.done}")
    for at in figures.looks:
        state = f"{at.journal_and_snapshot_bytes / 1e6:.1f} MB state, {at.log_bytes / 1e6:.1f} MB logs"
        _row(f"  after {at.done:,}: {at.handles} handles, {at.threads} threads, {state}", f"{at.resident_mb:.0f} MB")
    _row("growth of memory for 1,000 jobs", f"{figures.growth_mb_per_1000:.2f} MB")
    first, last = figures.looks[min(2, len(figures.looks) - 1)], figures.looks[-1]
    flat = last.handles <= first.handles + 8 and last.threads <= first.threads + 2
    return figures.done == figures.jobs and flat and figures.growth_mb_per_1000 <= MOST_GROWTH_MB


def _store_holds(measured: list[Figure]) -> bool:
    values = {name: value for name, value, _ in measured}
    return (
        values["update of 3 fields, accepted (median)"] <= 200
        and values["slowest accepted update meanwhile"] <= 15
        and max(value for name, value in values.items() if name.startswith("open,")) <= 1.5
        and max(value for name, value in values.items() if name.startswith("peak while opening")) <= 300
    )


if __name__ == "__main__":
    sys.exit(main())
