"""The page in a real browser, where there is one: its policy lets our script run, and nothing else."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

from gsvr_tui.media.samples import ClipSpec, make_clip
from gsvr_tui.report.document import Report
from gsvr_tui.report.render import render

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [pytest.mark.skipif(BROWSER is None, reason="needs Chromium"), pytest.mark.slow]
PATIENCE_S = 30.0


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[str]:
    """A browser without a window; where it listens."""
    profile = tmp_path / "profile"
    process = subprocess.Popen(
        [
            str(BROWSER),
            *("--headless=new", "--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required"),
            *("--remote-debugging-port=0", f"--user-data-dir={profile}", "about:blank"),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield _address(profile / "DevToolsActivePort")
    finally:
        process.terminate()
        process.wait(20)


def _address(told: Path) -> str:
    """What the browser writes down once it listens."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        lines = told.read_text().splitlines() if told.exists() else []
        if len(lines) == 2:
            return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
        threading.Event().wait(0.05)
    raise AssertionError("the browser does not listen")


class Tab:
    """A page of the browser, over its DevTools protocol."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._number = 0
        self._session: dict[str, str] = {}
        self.events: list[dict[str, Any]] = []

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        await self._socket.send(
            json.dumps({"id": self._number, "method": method, "params": parameters, **self._session})
        )
        while True:
            message = json.loads(await self._socket.recv())
            if message.get("id") == self._number:
                assert "error" not in message, message
                found: dict[str, Any] = message["result"]
                return found
            self.events.append(message)

    async def open(self, address: str) -> None:
        target = await self.call("Target.createTarget", url="about:blank")
        attached = await self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = {"sessionId": attached["sessionId"]}
        for domain in ("Page", "Runtime", "Log", "Network"):
            await self.call(f"{domain}.enable")
        await self.call("Page.navigate", url=address)
        await self.until("document.readyState === 'complete'")

    async def value(self, script: str) -> Any:
        result = await self.call("Runtime.evaluate", expression=script, returnByValue=True)
        return result["result"].get("value")

    async def until(self, script: str) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not await self.value(script):  # noqa: ASYNC110 - the state of another process
                await asyncio.sleep(0.05)

    def named(self, *methods: str) -> list[dict[str, Any]]:
        return [event["params"] for event in self.events if event["method"] in methods]

    def check_quiet(self) -> None:
        """No dialog, no error, no refusal by the policy, nothing fetched from anywhere else."""
        assert self.named("Page.javascriptDialogOpening", "Log.entryAdded", "Runtime.exceptionThrown") == []
        fetched = [event["request"]["url"] for event in self.named("Network.requestWillBeSent")]
        assert all(url.startswith(("file:///", "data:image/")) for url in fetched), fetched


async def test_a_click_on_a_time_moves_the_player_there(browser: str, lesson_report: Report, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a clip.mp4", ClipSpec(60, 160, 90, 5))
    (tmp_path / "out").mkdir()
    page = tmp_path / "out" / "page.html"
    report = replace(lesson_report, source=replace(lesson_report.source, path=str(clip), duration_s=60.0))
    page.write_bytes(render(report, "html", video_href="../a%20clip.mp4"))
    async with connect(browser, max_size=None) as socket:
        tab = Tab(socket)
        await tab.open(page.as_uri())
        await tab.until("document.querySelector('video').readyState >= 1 || document.querySelector('video').error")
        if await tab.value("!!document.querySelector('video').error"):
            pytest.skip("this browser has no decoder for the clip")
        await tab.value("document.querySelectorAll('a.time')[1].click()")
        await tab.until("document.querySelector('video').currentTime >= 20")
        await tab.until("document.querySelector('#e0002').classList.contains('now')")
        assert await tab.value("document.querySelector('video').currentTime") < 40
        assert await tab.value("location.href") == page.as_uri()  # the player moved, the page did not
        tab.check_quiet()


async def test_a_hostile_page_runs_nothing_and_fetches_nothing(
    browser: str, hostile_report: Report, tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    page.write_bytes(render(hostile_report, "html", video_href="./no.mp4"))
    async with connect(browser, max_size=None) as socket:
        tab = Tab(socket)
        await tab.open(page.as_uri())
        await tab.until("document.documentElement.classList.contains('no-video')")  # our script ran, and says so
        assert await tab.value("document.scripts.length") == 1
        assert await tab.value("document.querySelectorAll('iframe,object,embed,form,link,base,img').length") == 0
        assert tab.named("Page.javascriptDialogOpening", "Runtime.exceptionThrown") == []
        fetched = [event["request"]["url"] for event in tab.named("Network.requestWillBeSent")]
        assert all(url.startswith(("file:///", "data:image/")) for url in fetched), fetched
