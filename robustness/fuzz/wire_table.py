# SPDX-License-Identifier: Apache-2.0
"""Count flashes at real counterparts while hostile colours pass the limiter.

Each lamp is counted under many responses: what arrived is raised to exponents of 1 to 3, weighted,
with brightness apart, and with brightness multiplied in.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from random import Random
from threading import Event, Thread

import numpy as np
from rich.table import Table

from ambient_light_driver.color.light_color import OFF, LightColor
from ambient_light_driver.color.palette import load_palette, shipped_palettes
from ambient_light_driver.devices.device_set import DeviceSet, DeviceSpec
from ambient_light_driver.light_state import LightState
from ambient_light_driver.safety.flash_limiter import FlashLimiter

from .lamps import Worst, flashes_of_light, random_lamps
from .targets.flashes import Wish, plan
from .wire_lamps import (
    Counterpart,
    MissingError,
    MqttCounterpart,
    OladCounterpart,
    SerialCounterpart,
    Shown,
    WledCounterpart,
    patch_serial,
)
from .wire_node import attack_through_node

PHASE_S = 20.0
"""Length of the attack of each kind [s]."""

SHORTEST_PHASE_S = 3.0
"""Below this hardly anything arrives [s]."""

RESPONSES = 400
"""Lamps that each record is counted on."""

_STALLS_S = (0.2, 0.6, 1.4, 2.3)
"""Below the limiter's 2.5 s, as a loaded machine wakes receivers late."""
_ALTERNATING_S = (0.1, 0.02)


@dataclass(frozen=True)
class Row:
    """What one lamp got in one attack.

    :ivar lamp: counterpart and device.
    :ivar attack: what was done meanwhile.
    :ivar events: colours that arrived.
    :ivar flashes: of the worst response; None where nothing was tried.
    """

    lamp: str
    attack: str
    events: int = 0
    flashes: Worst | None = None


def _wishes(rng: Random) -> Iterator[Wish]:
    """Return hostile colours without end."""
    colors = [
        replace(color, brightness=rng.choice((1.0, 0.73)) * color.brightness)
        for name in shipped_palettes()
        for color in load_palette(name).emotions.values()
    ]
    extremes = [OFF, *(LightColor(*rgb) for rgb in product((0.0, 1.0), repeat=3))]
    while True:
        if rng.random() < 0.4:
            pair = rng.sample(rng.choice((colors, extremes)), 2)
            period_s = rng.choice(_ALTERNATING_S)
            for i in range(round(2.0 / period_s)):
                yield Wish(period_s, pair[i % 2])
        else:
            yield from plan(rng)


class _Light:
    """Send colours through the limiter to devices, as the node does."""

    def __init__(self, specs: dict[str, DeviceSpec]) -> None:
        self._limiter = FlashLimiter()
        self._specs = specs
        self._devices = DeviceSet(lambda _name, _status: None)
        self._devices.apply(specs)

    def show(self, color: LightColor | None, aim: LightColor | None) -> None:
        now_s = time.monotonic()
        for name in self._devices.newly_lost():
            self._limiter.count_outage(now_s, name)
        if color is None:
            shown = self._limiter.switch_off(now_s)
        else:
            shown = self._limiter.step(color, now_s, aim=aim).color
        self._devices.post(LightState(shown, "hostile"))

    def change_an_option(self, rng: Random) -> None:
        name = rng.choice(list(self._specs))
        spec = self._specs[name]
        config = replace(spec.config, refresh_s=rng.choice((0.5, 0.6)))
        self._specs[name] = replace(spec, config=config)
        if self._devices.apply(self._specs):
            self._limiter.count_outage(time.monotonic())

    def is_connected(self) -> bool:
        return all(status.sent for status in self._devices.statuses().values())

    def close(self) -> None:
        self._devices.stop(LightState(self._limiter.switch_off(time.monotonic()), "off"))


def _steady(_rng: Random, _light: _Light, _lamps: list[Counterpart]) -> float:
    return 1.0


def _stalling() -> Callable[[Random, _Light, list[Counterpart]], float]:
    stalled = False

    def disturb(rng: Random, _light: _Light, lamps: list[Counterpart]) -> float:
        nonlocal stalled
        stalled = not stalled
        for lamp in lamps:
            lamp.stall(stalled)
        return rng.choice(_STALLS_S) if stalled else rng.uniform(0.1, 1.5)

    return disturb


def _changing_options(rng: Random, light: _Light, _lamps: list[Counterpart]) -> float:
    light.change_an_option(rng)
    return rng.uniform(0.2, 0.8)


def _restarting(rng: Random, _light: _Light, lamps: list[Counterpart]) -> float:
    rng.choice(lamps).restart()
    return rng.uniform(0.2, 1.0)


def _drive(
    light: _Light,
    lamps: list[Counterpart],
    rng: Random,
    seconds: float,
    disturb: Callable[[Random, _Light, list[Counterpart]], float],
) -> None:
    ended = Event()

    def disturb_until_ended() -> None:
        pause_s = 0.5
        while not ended.wait(pause_s):
            pause_s = disturb(rng_of_disturbance, light_of_disturbance, lamps)

    # Restarts take long and must not hold the colours up; options belong to the light's thread.
    rng_of_disturbance, light_of_disturbance = Random(rng.random()), light
    in_thread = disturb is not _changing_options
    thread = Thread(target=disturb_until_ended)
    if in_thread:
        thread.start()
    wishes = _wishes(rng)
    start_s = next_s = time.monotonic()
    disturbed_s = start_s + 0.5
    while next_s - start_s < seconds:
        wish = next(wishes)
        next_s += max(wish.after_s, 0.01)
        time.sleep(max(0.0, next_s - time.monotonic()))
        light.show(wish.color, wish.aim)
        if not in_thread and time.monotonic() > disturbed_s:
            disturbed_s = time.monotonic() + disturb(rng, light, lamps)
    ended.set()
    if in_thread:
        thread.join()
    for lamp in lamps:
        lamp.stall(False)


def count(record: list[Shown], responses: int, rng: np.random.Generator) -> Worst:
    """Return the flashes of the worst of many lamps that got ``record``."""
    times_s = [shown.arrived_s for shown in record]
    sent = np.array([shown.channels for shown in record])
    level = np.array([[shown.level] for shown in record])
    form = "white" if sent.shape[1] == 4 else "linear"
    forms = [(sent, level)]
    if (level < 1.0).any():
        forms.append((np.floor(255.0 * sent * level) / 255.0, np.ones_like(level)))
    found = []
    for numbers in forms:
        lamps = random_lamps(form, responses, rng)
        found.append(flashes_of_light(times_s, lamps.light_of(*numbers), lamps.weights))
    return Worst(max(w.general for w in found), max(w.red for w in found))


def _rows(
    lamps: list[Counterpart], attack: str, since_s: float, until_s: float, responses: int
) -> list[Row]:
    rows = []
    for lamp in lamps:
        for name, record in lamp.shown().items():
            inside = [s for s in record if since_s <= s.arrived_s < until_s]
            before = [s for s in record if s.arrived_s < since_s][-1:]
            flashes = None
            if inside:
                flashes = count(before + inside, responses, np.random.default_rng(0))
            rows.append(Row(f"{lamp.name}: {name}", attack, len(inside), flashes))
    return rows


def measure(
    folder: Path, seed: int, phase_s: float = PHASE_S, responses: int = RESPONSES
) -> list[Row]:
    """Attack all counterparts that are installed and return what arrived.

    :param folder: for files of the counterparts.
    :param phase_s: length of each attack [s].
    :param responses: lamps that each record is counted on.
    """
    rows: list[Row] = []
    with ExitStack() as stack:
        lamps: list[Counterpart] = []
        makers: list[tuple[str, Callable[[], Counterpart]]] = [
            ("olad, E1.31", lambda: OladCounterpart("e131", folder)),
            ("olad, Art-Net", lambda: OladCounterpart("artnet", folder)),
            ("mosquitto", lambda: MqttCounterpart(folder)),
            ("mosquitto, subscriber stalls", lambda: MqttCounterpart(folder, True)),
            ("WLED's contract, json", lambda: WledCounterpart("json", folder)),
            ("WLED's contract, json, late", lambda: WledCounterpart("json", folder, True)),
            ("WLED's contract, ddp", lambda: WledCounterpart("ddp", folder)),
            ("pseudo-terminal, adalight", lambda: SerialCounterpart("adalight", 11_520)),
            ("pseudo-terminal, dmx_usb_pro", lambda: SerialCounterpart("dmx_usb_pro", 100_000)),
        ]
        for name, make in makers:
            try:
                lamp = make()
            except MissingError as missing:
                rows.append(Row(name, f"skipped: {missing}"))
                continue
            stack.callback(lamp.close)
            lamps.append(lamp)
        rng = Random(f"wire:{seed}")

        def attacked(attack: str, drive: Callable[[], None]) -> None:
            since_s = time.monotonic()
            drive()
            time.sleep(1.5)  # what is late still arrives
            rows.extend(_rows(lamps, attack, since_s, time.monotonic(), responses))

        lines = [lamp for lamp in lamps if isinstance(lamp, SerialCounterpart)]
        attacked("light_node", lambda: attack_through_node(lamps, rng, phase_s, folder))
        undo = patch_serial(lines)
        stack.callback(undo)
        specs = {name: spec for lamp in lamps for name, spec in lamp.specs().items()}
        light = _Light(specs)
        stack.callback(light.close)
        queueing = [lamp for lamp in lamps if lamp.queues]
        answering = [lamp for lamp in lamps if not lamp.queues]
        for attack, disturbed, disturb in (
            ("none", lamps, _steady),
            # Apart, since the light stands while others are lost.
            ("receiver that queues stands still", queueing, _stalling()),
            ("receiver that answers stands still", answering, _stalling()),
            ("receiver is killed and started", lamps, _restarting),
            ("options change", lamps, _changing_options),
        ):
            attacked(attack, lambda d=disturb, x=disturbed: _drive(light, x, rng, phase_s, d))  # type: ignore[misc]
    return rows


def table(rows: list[Row]) -> tuple[Table, int]:
    """Return the table and the flashes of its worst row."""
    shown = Table(title="Flash pairs in the worst second of what arrived (at most 3 are allowed)")
    for column in ("lamp", "attack"):
        shown.add_column(column)
    for column in ("events", "general", "red"):
        shown.add_column(column, justify="right")
    worst = 0
    for row in rows:
        numbers = ("-", "-")
        if row.flashes is not None:
            numbers = str(row.flashes.general), str(row.flashes.red)
            worst = max(worst, row.flashes.flashes)
        shown.add_row(row.lamp, row.attack, str(row.events), *numbers)
    return shown, worst
