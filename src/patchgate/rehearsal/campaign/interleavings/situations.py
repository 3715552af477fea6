"""Who may meet, and when: the actors of a lane, and the instants of a cycle at which they start together.

Every invocation carries the payload that the lane's own schedule delivered, or would have: late or duplicate
deliveries. Some are later than the schedules' own limits allow: programs must not rely on those.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

from patchgate.emulator.assumptions import Assumptions
from patchgate.plan import names
from patchgate.rehearsal.campaign.acts import ACTS
from patchgate.rehearsal.campaign.acts import Scene as ActScene
from patchgate.rehearsal.campaign.ground import prepare
from patchgate.rehearsal.campaign.interleavings.control import Actor, Scene, Withheld
from patchgate.rehearsal.campaign.terrain import SETTLED

if TYPE_CHECKING:
    from patchgate.emulator.cloud import Cloud
    from patchgate.rehearsal.campaign.ground import Ground
    from patchgate.rehearsal.campaign.terrain import Cycle

ACTORS = ("gate", "duplicate gate", "close", "watchdog", "prove", "stack update")
SEED = 5
"""Of the preparation's own chance: when AWS's schedules fire within their minute."""
OFF_THE_SECOND = timedelta(milliseconds=500)
"""Evidence says when a proof began in whole seconds: so all that a search does is after what it says."""
BEFORE = timedelta(seconds=1)
"""A runbook's first step begins so long after the runbook: situations are prepared until then."""


Anchor = Literal["gate", "start", "cutoff", "close", "watchdog"]


@dataclass(frozen=True, slots=True)
class Situation:
    """An instant of a terrain's second cycle: ``offset`` and half a second after its ``anchor``. ``cutoff`` is the end
    of admission, ``watchdog`` the first one after the close.

    ``close`` is the one that takes part: the cycle's own, the cycle before's delivered a second time ("late"), or one
    that an operator invokes, as if it had been due in this minute ("by hand"). ``executing``: an execution of the
    window is under way. ``late_gate``: the gate's own delivery has not come yet. ``frozen``: an operator has frozen the
    lane. With either of the two a gate must be among the actors.
    """

    name: str
    says: str
    anchor: Anchor
    offset: timedelta = timedelta(0)
    close: Literal["own", "late", "by hand"] = "late"
    executing: bool = False
    late_gate: bool = False
    frozen: bool = False

    def admits(self, actors: tuple[str, ...]) -> bool:
        """Whether these may meet here."""
        return "gate" in actors or not (self.late_gate or self.frozen)


SITUATIONS = (
    Situation("gate due", "the backups are complete, the gate is due", "gate"),
    Situation("gate due, frozen", "an operator has frozen the lane, the gate is due", "gate", frozen=True),
    Situation(
        "gate late",
        "the gate comes seconds before the window's start, a retry of it comes after that",
        "start",
        -timedelta(seconds=5),
        late_gate=True,
    ),
    Situation(
        "lease open", "the lease is open, half a minute before the window's start", "start", -timedelta(seconds=30)
    ),
    Situation(
        "window begun",
        "the window has begun, half a second before its own runbooks take their proofs",
        "start",
        close="by hand",
        executing=True,
    ),
    Situation(
        "admission ends",
        "some seconds of admission are left",
        "cutoff",
        -timedelta(seconds=3),
        close="by hand",
        executing=True,
    ),
    Situation("close due", "the window has ended, its close is due", "close", close="own"),
    Situation("watchdog due", "the cycle is closed, the watchdog is due", "watchdog", close="own"),
)


@dataclass(frozen=True, slots=True)
class Moment:
    """A terrain's second cycle and the one before; ``watchdogs`` is when those of the whole run are due."""

    last: Cycle
    cycle: Cycle
    cutoff: datetime
    watchdogs: tuple[datetime, ...]

    def of(self, situation: Situation) -> datetime:
        """The instant of a situation."""
        first_watchdog = next(each for each in self.watchdogs if each > self.cycle.close)
        anchors: dict[Anchor, datetime] = {
            "gate": self.cycle.gate,
            "start": self.cycle.start,
            "cutoff": self.cutoff,
            "close": self.cycle.close,
            "watchdog": first_watchdog,
        }
        return anchors[situation.anchor] + situation.offset + OFF_THE_SECOND


class Rehearsal:
    """One ground and what a calm run of it delivers: makes scenes and their actors."""

    def __init__(self, cloud: Cloud, ground: Ground) -> None:
        self._cloud = cloud
        self._ground = ground
        self._scenes: dict[tuple[str, Assumptions], Scene] = {}
        self._payloads: dict[tuple[str, datetime], bytes] = {}
        """(mode, scheduled time) -> what a schedule's firing hands to its function."""
        self._moment = self._observe()

    def scene(self, situation: Situation, assumptions: Assumptions) -> Scene:
        """The instant of a situation."""
        scene = self._scenes.get((situation.name, assumptions))
        if scene is None:
            scene = self._scenes[situation.name, assumptions] = self._prepared(situation, assumptions)
        return scene

    def actor(self, name: str, situation: Situation) -> Actor:
        """One of ACTORS as it takes part in a situation."""
        moment, at = self._moment, self._moment.of(situation)
        match name:
            case "prove":
                return Actor(name, begin=self._start_runbook)
            case "stack update":
                return Actor(name, act=self._update_stack, call="cloudformation:UpdateStack")
            case "close":
                return self._close(name, situation)
            case "watchdog":
                return self._delivered(name, "watchdog", max(each for each in moment.watchdogs if each <= at))
            case "gate" | "duplicate gate":
                return self._delivered(name, "open", moment.cycle.gate)
        raise ValueError(f"{name!r} is none of {', '.join(ACTORS)}")

    def _observe(self) -> Moment:
        """Let a run pass in which nothing goes wrong; remember what its schedules deliver."""
        terrain = self._ground.terrain
        self._begin(Assumptions(), ())
        self._cloud.kernel.run_until(terrain.end)
        watchdogs = []
        for record in self._cloud.history.of("FunctionInvoked"):
            payload = record["payload"]
            scheduled = datetime.fromisoformat(payload["scheduled_time"])
            mode = payload.get("mode", "open")
            self._payloads[mode, scheduled] = json.dumps(payload).encode()
            if mode == "watchdog":
                watchdogs.append(scheduled)
        last, cycle, _ = terrain.cycles
        (cutoff,) = {
            datetime.fromisoformat(json.loads(record["value"])["admit_until"])
            for record in self._cloud.history.of("ParameterPut")
            if record["name"].endswith(f"/{cycle.gate:%Y%m%dT%H%M%SZ}/open")
        }
        return Moment(last, cycle, cutoff, tuple(watchdogs))

    def _begin(self, assumptions: Assumptions, withheld: Sequence[tuple[str, datetime]]) -> None:
        prepare(self._cloud, self._ground, SEED, assumptions)
        self._cloud.meddler = Withheld(frozenset(withheld))

    def _prepared(self, situation: Situation, assumptions: Assumptions) -> Scene:
        terrain, at = self._ground.terrain, self._moment.of(situation)
        late = [(terrain.schedules["open"], self._moment.cycle.gate)] if situation.late_gate else []
        self._begin(assumptions, late)
        self._cloud.kernel.run_until(at - BEFORE)
        if situation.frozen:
            ACTS["freeze"](ActScene(self._cloud, terrain, 0, {}), {"which": 1})
        return Scene(self._cloud.snapshot(), at, self._end_after(at), replace(terrain.facts, calm_from=at))

    def _end_after(self, at: datetime) -> datetime:
        """When what happened at an instant can be judged: two windows later if there are so many, else a watchdog."""
        terrain = self._ground.terrain
        if at <= self._moment.cycle.start:
            return terrain.end
        watchdog = next(each for each in self._moment.watchdogs if each > at)
        return next(cycle.close + SETTLED for cycle in terrain.cycles if cycle.close + SETTLED > watchdog)

    # The actors' beginnings

    def _close(self, name: str, situation: Situation) -> Actor:
        moment = self._moment
        if situation.close != "by hand":
            return self._delivered(name, "close", (moment.last if situation.close == "late" else moment.cycle).close)
        due = moment.of(situation).replace(second=0, microsecond=0)
        event = {"mode": "close", "scheduled_time": f"{due:%Y-%m-%dT%H:%M:%SZ}", "attempt": "1"}
        self._payloads["close", due] = json.dumps(event).encode()
        return self._delivered(name, "close", due)

    def _delivered(self, name: str, mode: str, scheduled: datetime) -> Actor:
        terrain = self._ground.terrain
        program = terrain.programs["open" if mode == "open" else "close"]
        request = {"FunctionName": program, "InvocationType": "Event", "Payload": self._payloads[mode, scheduled]}

        def begin(cloud: Cloud) -> None:
            cloud.invoke(terrain.scope, "lambda", "Invoke", request)

        return Actor(name, begin=begin, delivery=(terrain.schedules[mode], scheduled))

    def _start_runbook(self, cloud: Cloud) -> None:
        """An operator starts the lane's install runbook on its first machine."""
        terrain = self._ground.terrain
        runbook = names.RUNBOOK.render(os=self._ground.shape.os, env=self._ground.shape.env)
        request = {"DocumentName": runbook, "Parameters": {"InstanceId": [terrain.instances[0]]}}
        cloud.invoke(terrain.scope, "ssm", "StartAutomationExecution", request)

    def _update_stack(self, cloud: Cloud) -> None:
        """An operator updates the stack of the window with a new tag, which reaches all of its resources."""
        ACTS["update-stack"](ActScene(cloud, self._ground.terrain, 0, {}), {"stack": 0})
