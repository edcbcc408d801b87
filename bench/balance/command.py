"""The command line of the balancing benchmark."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.balance.arena import OURS, NotInstalled, RunFailed, run
from bench.balance.clips import make_clips
from bench.balance.figures import Figures, Row, middle, speed_up
from bench.balance.scenes import ALL_PEERS, SCALING, SCENES, Scene, scene
from bench.balance.table import LEGEND, table
from bench.balance.virtual import POLICY, foretold_s, run_policy

QUICK = ("requests", "unknown", "tokens")
QUICK_SHARE = 0.58
QUICK_PEERS = ("round-robin+tenacity",)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python bench/balance.py", description="The real client and its peers on the same work over several keys."
    )
    names = ", ".join(known.name for known in SCENES)
    parser.add_argument("--scene", action="append", metavar="NAME", help=f"only this one (may be repeated): {names}")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each, interleaved (default: 3)")
    parser.add_argument("--peers", metavar="A,B", help=f"instead of the scene's own: {', '.join(ALL_PEERS)}")
    parser.add_argument("--no-peers", action="store_true", help="gsvr-tui alone; installs nothing")
    parser.add_argument("--contestants", metavar="A,B", help=f"instead of {OURS} and the peers")
    parser.add_argument("--quick", action="store_true", help="three scenes, fewer jobs, one run: under 3 minutes")
    parser.add_argument("--size", type=float, default=1.0, metavar="K", help="so many times the jobs")
    parser.add_argument("--policy", action="store_true", help="the scheduler alone in virtual time: a second a scene")
    parser.add_argument("--slower", type=float, default=1.0, metavar="K", help="time factors divided by K")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the emulator's log of every run")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the figures as JSON")
    return parser


def _contestants(chosen: argparse.Namespace, of: Scene) -> list[str]:
    if chosen.policy:
        return []
    if chosen.contestants:
        return [name.strip() for name in chosen.contestants.split(",")]
    peers: Sequence[str] = of.peers
    if chosen.no_peers:
        peers = ()
    elif chosen.peers:
        peers = [name.strip() for name in chosen.peers.split(",")]
    elif chosen.quick:
        peers = QUICK_PEERS if of.name == QUICK[0] else ()
    unknown = [name for name in peers if name not in ALL_PEERS]
    if unknown:
        raise SystemExit(f"bench/balance.py: no such peer: {', '.join(unknown)}; known are: {', '.join(ALL_PEERS)}")
    return [OURS, *peers]


def _scenes(chosen: argparse.Namespace) -> list[Scene]:
    names = chosen.scene or (QUICK if chosen.quick else [known.name for known in SCENES])
    try:
        picked = [scene(name) for name in names]
    except KeyError as missing:
        known = ", ".join(known.name for known in SCENES)
        raise SystemExit(f"bench/balance.py: no such scene: {missing.args[0]}; known are: {known}") from None
    size = chosen.size * (QUICK_SHARE if chosen.quick else 1.0)
    if size != 1.0:
        picked = [one.of_size(size) for one in picked]
    return [one.at_factor(one.factor / chosen.slower) for one in picked]


def _play(
    one: Scene, contestants: Sequence[str], repeat: int, seed: int, keep: Path | None
) -> tuple[list[Figures], dict[str, str]]:
    """All runs of a scene, the contestants taking turns."""
    runs: list[Figures] = []
    absent: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="gsvr-bench-clips-") as folder:
        videos = make_clips(Path(folder) / "videos", one.durations, one.jobs)
        for turn in range(repeat):
            for name in contestants:
                if name in absent:
                    continue
                try:
                    figures = run(one, name, videos, seed=seed + turn, keep=keep)
                except NotInstalled as why:
                    absent[name] = str(why)
                    continue
                except RunFailed as why:
                    absent[name] = f"failed: {why}"
                    continue
                runs.append(figures)
                _progress(figures, turn)
    return runs, absent


def _progress(figures: Figures, turn: int) -> None:
    share = f"{figures.share * 100:.1f} %" if figures.share is not None else f"{figures.done}/{figures.jobs} done"
    words = (
        f"{figures.scene} #{turn + 1} {figures.contestant}: {figures.seconds:.1f} s, {share}, {figures.rejected}×429"
    )
    print(words, file=sys.stderr, flush=True)


def _rows(runs: Sequence[Figures]) -> list[Row]:
    grouped: dict[str, list[Figures]] = defaultdict(list)
    for figures in runs:
        grouped[figures.contestant].append(figures)
    return [middle(group) for group in grouped.values()]


def _scaling(rows: Sequence[Row], contestant: str) -> list[str]:
    ours = {row.scene: row for row in rows if row.contestant == contestant}
    if "one" not in ours:
        return []
    lines = [f"{contestant}:"]
    for name in SCALING[1:]:
        if name in ours:
            count = len(scene(name).projects)
            found = speed_up(ours["one"], ours[name])
            shown = (
                "not all jobs were done" if found is None else f"{found:.2f} times one ({found / count:.3f} · {count})"
            )
            lines.append(f"  {count} equal projects: {shown}")
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print the tables, write JSON."""
    chosen = _parser().parse_args(arguments)
    repeat = 1 if chosen.quick else max(1, chosen.repeat)
    scenes = _scenes(chosen)
    plans = [(one, _contestants(chosen, one)) for one in scenes]
    everything: list[Figures] = []
    rows: list[Row] = []
    missing: dict[str, dict[str, str]] = {}
    for one, contestants in plans:
        runs, absent = _play(one, contestants, repeat, chosen.seed, chosen.keep)
        if chosen.policy or OURS in contestants:
            runs = [run_policy(one, chosen.seed + turn).figures() for turn in range(repeat)] + runs
        found = _rows(runs)
        everything += runs
        rows += found
        missing[one.name] = absent
        bound = found[0].bound_s if found else one.bound([0] * one.jobs)
        words = f"{one.jobs} jobs, bound {bound:,.1f} s (service {one.shortest_service_s:g} s), 1 s = {one.factor:g} s"
        foretold = foretold_s(one)
        if foretold is not None:
            words += f", forecast {foretold:,.1f} s"
        print("\n" + table(f"{one.name}: {one.title}", words, found, absent), flush=True)
    print("\n" + "\n".join([*_scaling(rows, POLICY), *_scaling(rows, OURS), "", LEGEND]))
    if chosen.out:
        chosen.out.write_text(json.dumps(_data(chosen, scenes, rows, everything, missing), indent=1), encoding="utf-8")
    return 0


def _data(
    chosen: argparse.Namespace,
    scenes: Sequence[Scene],
    rows: Sequence[Row],
    runs: Sequence[Figures],
    missing: dict[str, dict[str, str]],
) -> dict[str, Any]:
    return {
        "python": sys.version.split()[0],
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "seed": chosen.seed,
        "scenes": [
            {"name": one.name, "title": one.title, "forecast_s": foretold_s(one), "scenario": one.scenario()}
            for one in scenes
        ],
        "rows": [asdict(row) for row in rows],
        "runs": [asdict(figures) for figures in runs],
        "absent": missing,
    }
