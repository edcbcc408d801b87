"""`/__emulator__/…`: the log, the state and new rules, for tests and for people. Answers loopback only."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from gsvr_tui.emulator.clock import Clock, ManualClock
from gsvr_tui.emulator.faults import Faults
from gsvr_tui.emulator.files import FileStore
from gsvr_tui.emulator.log import RequestLog
from gsvr_tui.emulator.projects import Projects
from gsvr_tui.emulator.scenario import KeyState, Limits, ProjectState, Rule
from gsvr_tui.emulator.scenario_file import ScenarioError, build

_LOOPBACK = ("127.0.0.1", "::1")


class Admin:
    """The admin app."""

    def __init__(self, log: RequestLog, projects: Projects, store: FileStore, faults: Faults, clock: Clock) -> None:
        self._log = log
        self._projects = projects
        self._store = store
        self._faults = faults
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        client = scope.get("client")
        response: Response
        if not client or client[0] not in _LOOPBACK:
            response = JSONResponse({"error": "loopback only"}, 403)
        else:
            try:
                response = await self._handle(Request(scope, receive))
            except (ScenarioError, ValueError) as problem:
                response = JSONResponse({"error": str(problem)}, 400)
        await response(scope, receive, send)

    async def _handle(self, request: Request) -> Response:
        name = request.url.path.removeprefix("/__emulator__/").strip("/")
        match request.method, name:
            case "GET", "log":
                since = int(request.query_params.get("since") or 0)
                return JSONResponse([entry.as_dict() for entry in self._log.snapshot()[since:]])
            case "GET", "stats":
                return JSONResponse(self._log.stats())
            case "GET", "state":
                return JSONResponse(self._state())
            case "POST", "rules":
                data = await request.json()
                rules = [build(Rule, one, "rule") for one in (data if isinstance(data, list) else [data])]
                for rule in rules:
                    self._faults.add(rule)
                return JSONResponse({"added": len(rules)})
            case "DELETE", "rules":
                self._faults.clear()
                return JSONResponse({})
            case "POST", "project":
                return self._change_project(await request.json())
            case "POST", "key":
                data = await request.json()
                count = self._projects.set_key_state(str(data["tail"]), KeyState(data["state"]))
                return JSONResponse({"changed": count})
            case "POST", "clock":
                data = await request.json()
                if not isinstance(self._clock, ManualClock):
                    return JSONResponse({"error": "the clock runs by itself"}, 409)
                self._clock.advance(float(data["advance_s"]))
                return JSONResponse({"wall": self._clock.wall()})
        return JSONResponse({"error": f"no such page: {request.method} {name}"}, 404)

    def _change_project(self, data: dict[str, Any]) -> Response:
        project = self._projects.by_name.get(str(data.get("name")))
        if project is None:
            return JSONResponse({"error": "no such project"}, 404)
        if "state" in data:
            project.state = ProjectState(data["state"])
        if "limits" in data:
            limits = build(Limits, data["limits"], "limits")
            project.set_limits(limits, str(data.get("model") or ""), self._clock.wall())
        return JSONResponse(project.describe(self._clock.wall()))

    def _state(self) -> dict[str, Any]:
        now = self._clock.wall()
        return {
            "wall": now,
            "projects": {name: project.describe(now) for name, project in self._projects.by_name.items()},
            "files": self._store.describe(),
            "rules": self._faults.describe(),
        }
