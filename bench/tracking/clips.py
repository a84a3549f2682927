# SPDX-License-Identifier: Apache-2.0
"""Clips of people who move, cover each other and are filmed by a moving camera."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_perception.face import BoundingBox, Face, RgbImage

from .changes import glasses, hand, turned
from .people import SIDE_PX, Person

WIDTH: Final = 640
HEIGHT: Final = 480
_CANVAS: Final = (3 * WIDTH, 2 * HEIGHT)
_COVER: Final = -1
_NOISE: Final = 3.0
_NOISES: Final = 7
_PILLAR_PX: Final = 190.0


@dataclass(frozen=True)
class Place:
    """Where a person's face is, in pixels of the scene.

    :ivar side: of the face.
    :ivar change: of the face, as by what covers it; None for none.
    """

    person: int
    x: float
    y: float
    side: float = 95.0
    change: Callable[[Person], Person] | None = None


@dataclass(frozen=True)
class Scene:
    """What the camera films at one moment.

    :ivar places: of the people, the farthest first.
    :ivar pillars: left edges of what covers everything behind it.
    :ivar camera: left and top edge of the view, and its magnification.
    :ivar blur: of the motion during the exposure, (x, y) in pixels.
    :ivar room: number of the background.
    :ivar light: factor of the brightness.
    """

    places: tuple[Place, ...]
    pillars: tuple[float, ...] = ()
    camera: tuple[float, float, float] = (0.0, 0.0, 1.0)
    blur: tuple[float, float] = (0.0, 0.0)
    room: int = 0
    light: float = 1.0


@dataclass(frozen=True)
class TrueFace:
    """A face that is known to be in a frame.

    :ivar visible: share of its box that is in view and not covered.
    """

    person: int
    face: Face
    visible: float


@dataclass(frozen=True)
class TrueFrame:
    """A frame and its faces."""

    image: RgbImage
    stamp_s: float
    faces: tuple[TrueFace, ...]


@dataclass(frozen=True)
class Goal:
    """What tracking of a clip must reach, besides no theft; None where nothing is asked.

    :ivar ids: at most as many.
    :ivar missed: share of the faces in view that may be missed.
    :ivar wait_s: until a face that comes into view is found.
    """

    ids: int | None = None
    missed: float | None = None
    wait_s: float | None = None

    def __str__(self) -> str:
        parts = ["no theft"]
        if self.ids is not None:
            parts.append(f"{self.ids} ids")
        if self.missed is not None:
            parts.append(f"{100 * self.missed:g} % missed")
        if self.wait_s is not None:
            parts.append(f"found in {self.wait_s:g} s")
        return ", ".join(parts)


@dataclass(frozen=True)
class Clip:
    """A clip to be drawn.

    :ivar people: their number.
    :ivar stamps: of the frames, in seconds.
    """

    name: str
    people: int
    stamps: tuple[float, ...]
    scene: Callable[[float], Scene]
    goal: Goal = Goal()


def _at(rate_hz: float, duration_s: float) -> tuple[float, ...]:
    return tuple(i / rate_hz for i in range(round(rate_hz * duration_s)))


def _swing(t: float, low: float, high: float, speed: float) -> float:
    """Return a place that moves to and fro between two limits."""
    length = high - low
    way = (speed * t) % (2.0 * length)
    return low + (way if way < length else 2.0 * length - way)


def _pillar(t: float, x: float, hidden_s: Sequence[float]) -> tuple[float, ...]:
    """Return a pillar that covers the place ``x`` for each of ``hidden_s``, 2 s between."""
    start, speed = 1.5, 600.0
    for duration_s in hidden_s:
        way_s = 260.0 / speed
        local = t - start
        if -way_s <= local <= duration_s + way_s:
            offset = min(local, 0.0) + max(local - duration_s, 0.0)
            return (x - _PILLAR_PX / 2.0 + offset * speed,)
        start += duration_s + 2.0 * way_s + 2.0
    return ()


def _occluded(hidden_s: Sequence[float]) -> Callable[[float], Scene]:
    return lambda t: Scene(
        (Place(0, 180.0, 240.0), Place(1, 470.0, 230.0)), _pillar(t, 180.0, hidden_s)
    )


def _crossing(way_s: float, apart: float) -> Callable[[float], Scene]:
    def scene(t: float) -> Scene:
        share = min(max((t - 1.0) / way_s, 0.0), 1.0)
        return Scene(
            (
                Place(0, 110.0 + 420.0 * share, 240.0 - apart / 2.0, 90.0),
                Place(1, 530.0 - 420.0 * share, 240.0 + apart / 2.0, 100.0),
            )
        )

    return scene


def _in_turn(gap_s: float, room_changes: bool = False) -> Callable[[float], Scene]:
    def scene(t: float) -> Scene:
        number, local = divmod(t, 2.0 + gap_s)
        places = (Place(int(number), 320.0, 240.0),) if local < 2.0 else ()
        return Scene(places, room=int(number) if room_changes else 0)

    return scene


def _pan(t: float) -> Scene:
    left = _swing(t, 0.0, 3.0 * WIDTH - WIDTH, 550.0)
    places = tuple(Place(i, 160.0 + 320.0 * i, 200.0 + 60.0 * (i % 2)) for i in range(6))
    return Scene(places, camera=(left, 0.0, 1.0))


def _zoom(t: float) -> Scene:
    factor = 1.0 + 0.45 * (1.0 - math.cos(2.0 * math.pi * t / 2.0))
    places = tuple(
        Place(i, 230.0 + 180.0 * (i % 2), 150.0 + 180.0 * (i // 2), 70.0) for i in range(4)
    )
    shift_x, shift_y = (WIDTH / 2.0 * (1.0 - 1.0 / factor), HEIGHT / 2.0 * (1.0 - 1.0 / factor))
    return Scene(places, camera=(shift_x, shift_y, factor))


def _shake(t: float) -> Scene:
    def shift(t: float) -> tuple[float, float]:
        return (
            80.0 + 60.0 * math.sin(2.0 * math.pi * 3.1 * t) + 25.0 * math.sin(43.0 * t),
            80.0 + 50.0 * math.sin(2.0 * math.pi * 2.3 * t + 1.0) + 20.0 * math.sin(37.0 * t),
        )

    (x, y), (x1, y1) = shift(t), shift(t + 0.012)
    places = tuple(Place(i, 180.0 + 200.0 * i, 300.0) for i in range(3))
    return Scene(places, camera=(x, y, 1.0), blur=(x1 - x, y1 - y))


def _fast(speed: float) -> Callable[[float], Scene]:
    return lambda t: Scene(
        (
            Place(0, _swing(t, 80.0, 560.0, speed), 130.0),
            Place(1, _swing(t + 0.4, 80.0, 560.0, speed), 350.0),
        )
    )


def _crowd(t: float) -> Scene:
    rng = np.random.default_rng(round(1e4 * t))
    return Scene(
        tuple(
            Place(
                i,
                60.0 + 88.0 * (i % 7) + 8.0 * math.sin(t + i) + rng.normal(0.0, 0.7),
                150.0 + 180.0 * (i // 7) + rng.normal(0.0, 0.7),
                48.0,
            )
            for i in range(14)
        )
    )


def _bursts() -> tuple[float, ...]:
    return tuple(0.1 * burst + 0.001 * i for burst in range(40) for i in range(3))


def _newcomer(t: float) -> Scene:
    """Show one person always and, every 2.41 s, another for 1 s."""
    number, local = divmod(t, 2.41)
    there = (Place(1 + int(number) % 3, 450.0, 220.0),) if local >= 1.0 else ()
    return Scene((Place(0, 180.0, 240.0), *there))


def _light(t: float) -> Scene:
    """Switch the light every second."""
    places = tuple(Place(i, 130.0 + 190.0 * i, 240.0) for i in range(3))
    return Scene(places, light=(1.0, 0.35, 1.6)[int(t) % 3])


def _seats(t: float) -> Scene:
    """Let two people swap their seats every 1.5 s, at once."""
    seats = (180.0, 450.0) if int(t / 1.5) % 2 == 0 else (450.0, 180.0)
    return Scene((Place(0, seats[0], 240.0), Place(1, seats[1], 225.0)))


def _two(change: Callable[[Person], Person] | None) -> Scene:
    return Scene((Place(0, 180.0, 240.0, change=change), Place(1, 450.0, 225.0, change=change)))


def _turning(t: float) -> Scene:
    """Turn both heads to and fro by 40 degrees, at up to 170 degrees a second."""
    return _two(partial(turned, degrees=40.0 * math.sin(2.0 * math.pi * t / 1.5)))


def _now_and_then(
    change: Callable[[Person], Person], duration_s: float
) -> Callable[[float], Scene]:
    """Change the faces for ``duration_s`` of every 2 s."""
    return lambda t: _two(change if t % 2.0 >= 2.0 - duration_s else None)


_CROSSING: Final = Goal(ids=2, missed=0.01)
_NEWCOMER: Final = Goal(wait_s=0.4)

CLIPS: Final = (
    Clip(
        "hidden 0.3, 0.5, 1, 1.5 s",
        2,
        _at(30, 14.0),
        _occluded((0.3, 0.5, 1.0, 1.5)),
        Goal(ids=2, wait_s=0.15),
    ),
    Clip("hidden 3 s", 2, _at(30, 8.0), _occluded((3.0,))),
    Clip("crossing in 6 s", 2, _at(30, 8.0), _crossing(6.0, 0.0), _CROSSING),
    Clip("crossing in 2.4 s", 2, _at(30, 4.4), _crossing(2.4, 0.0), _CROSSING),
    Clip("crossing, 60 px apart", 2, _at(30, 6.0), _crossing(4.0, 60.0), _CROSSING),
    Clip("another after 0.5 s", 6, _at(30, 14.5), _in_turn(0.5), Goal(wait_s=0.4)),
    Clip("another at once", 6, _at(30, 12.0), _in_turn(0.0), Goal(wait_s=0.4)),
    Clip("seats swapped at once", 2, _at(30, 9.0), _seats),
    Clip("another after a cut", 6, _at(30, 12.0), _in_turn(0.0, True)),
    Clip("pan, 550 px/s", 6, _at(30, 9.0), _pan, Goal(ids=26, missed=0.12)),
    Clip("zoom", 4, _at(30, 8.0), _zoom, Goal(ids=11, missed=0.02)),
    Clip("shake and blur", 3, _at(30, 8.0), _shake),
    Clip("600 px/s at 5 Hz", 2, _at(5, 12.0), _fast(600.0), Goal(ids=4)),
    Clip("1200 px/s at 30 Hz", 2, _at(30, 6.0), _fast(1200.0)),
    Clip("bursts of stamps", 14, _bursts(), _crowd, Goal(ids=14)),
    Clip("newcomer at 30 Hz", 4, _at(30, 12.0), _newcomer, _NEWCOMER),
    Clip("newcomer at 10 Hz", 4, _at(10, 12.0), _newcomer, _NEWCOMER),
    Clip("newcomer at 5 Hz", 4, _at(5, 12.0), _newcomer, _NEWCOMER),
    Clip("light switched", 3, _at(30, 9.0), _light, Goal(ids=3)),
    Clip("heads turned, 40 degrees", 2, _at(30, 9.0), _turning),
    Clip("heads turned, at 5 Hz", 2, _at(5, 12.0), _turning),
    Clip("glasses for 1 s", 2, _at(30, 8.0), _now_and_then(glasses, 1.0)),
    Clip("hand at the mouth, 1 s", 2, _at(30, 8.0), _now_and_then(hand, 1.0)),
)


class Renderer:
    """Draw the frames of clips with given people."""

    def __init__(self, people: Sequence[Person]) -> None:
        self._people = people

    def frames(self, clip: Clip, first_person: int = 0) -> Iterator[TrueFrame]:
        """Return the frames of ``clip``, one after the other.

        :param first_person: who is the clip's person 0.
        :raises ValueError: when there are fewer people than the clip needs.
        """
        if len(self._people) < clip.people:
            raise ValueError(
                f"'{clip.name}' needs {clip.people} people, {len(self._people)} were "
                "found: give more photographs"
            )
        rng = np.random.default_rng(1)
        # Drawing new noise for every frame would take most of the time.
        noises = rng.normal(0.0, _NOISE, (_NOISES, HEIGHT, WIDTH, 1)).astype(np.float32)
        for number, stamp_s in enumerate(clip.stamps):
            noise = noises[number % _NOISES]
            yield self._frame(clip.scene(stamp_s), stamp_s, first_person, noise)

    def _frame(
        self, scene: Scene, stamp_s: float, first: int, noise: NDArray[np.float32]
    ) -> TrueFrame:
        left, top, zoom = scene.camera
        view = np.array([[zoom, 0.0, -zoom * left], [0.0, zoom, -zoom * top]])
        image = cv2.warpAffine(_room(scene.room), view, (WIDTH, HEIGHT)).astype(np.float32)
        owner = np.full((HEIGHT, WIDTH), len(self._people), np.int16)
        placed = []
        for place in scene.places:
            person = self._people[(first + place.person) % len(self._people)]
            if place.change is not None:
                person = place.change(person)
            scale = zoom * place.side / SIDE_PX
            middle = person.cutout.shape[0] / 2.0
            x, y = zoom * (place.x - left), zoom * (place.y - top)
            matrix = np.array([[scale, 0.0, x - scale * middle], [0.0, scale, y - scale * middle]])
            _paste(image, owner, person, matrix, place.person)
            placed.append((place.person, _moved(person.face, scale, matrix[:, 2])))
        for pillar in scene.pillars:
            a = int(np.clip(zoom * (pillar - left), 0, WIDTH))
            b = int(np.clip(zoom * (pillar + _PILLAR_PX - left), 0, WIDTH))
            image[:, a:b] = (70.0, 82.0, 76.0)
            owner[:, a:b] = _COVER
        image *= scene.light
        image = _blurred(image, scene.blur)
        image += noise
        faces = tuple(
            TrueFace(number, face, _visible(face.box, owner, number)) for number, face in placed
        )
        return TrueFrame(np.clip(image, 0, 255).astype(np.uint8), stamp_s, faces)


def _paste(
    image: NDArray[np.float32],
    owner: NDArray[np.int16],
    person: Person,
    matrix: NDArray[np.float64],
    number: int,
) -> None:
    scale, size = matrix[0, 0], person.cutout.shape[0]
    left, top = (int(np.floor(v)) for v in matrix[:, 2])
    side = int(np.ceil(scale * size)) + 2
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + side, WIDTH), min(top + side, HEIGHT)
    if x0 >= x1 or y0 >= y1:
        return
    local = matrix - np.array([[0.0, 0.0, x0], [0.0, 0.0, y0]])
    cutout = cv2.warpAffine(person.cutout, local, (x1 - x0, y1 - y0))
    opacity = cv2.warpAffine(person.opacity, local, (x1 - x0, y1 - y0))
    part = image[y0:y1, x0:x1]
    part += opacity[..., None] * (cutout - part)
    owner[y0:y1, x0:x1][opacity > 0.5] = number


def _moved(face: Face, scale: float, shift: NDArray[np.float64]) -> Face:
    box = face.box
    return Face(
        BoundingBox(
            scale * box.x + shift[0],
            scale * box.y + shift[1],
            scale * box.width,
            scale * box.height,
        ),
        1.0,
        (face.landmarks * scale + shift).astype(np.float32),
    )


def _visible(box: BoundingBox, owner: NDArray[np.int16], number: int) -> float:
    left, top = round(box.x), round(box.y)
    right, bottom = round(box.x + box.width), round(box.y + box.height)
    part = owner[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
    return float((part == number).sum()) / max(1, (right - left) * (bottom - top))


def _blurred(image: NDArray[np.float32], blur: tuple[float, float]) -> NDArray[np.float32]:
    """Average the image along the way of the camera."""
    length = math.hypot(*blur)
    if length < 1.0:
        return image
    side = 2 * math.ceil(length / 2.0) + 1
    kernel = np.zeros((side, side), np.float32)
    for share in np.linspace(-0.5, 0.5, 4 * side):
        kernel[
            round(side // 2 + share * blur[1] * 0.99), round(side // 2 + share * blur[0] * 0.99)
        ] += 1.0
    return cv2.filter2D(image, -1, kernel / kernel.sum())


_ROOMS: dict[int, RgbImage] = {}


def _room(number: int) -> RgbImage:
    """Return a background without faces: coloured clouds and a few edges."""
    if number not in _ROOMS:
        rng = np.random.default_rng(100 + number)
        width, height = _CANVAS
        cloud = np.zeros((height, width, 3), np.float32)
        for cell, weight in ((240, 60.0), (60, 20.0), (12, 6.0)):
            coarse = rng.normal(0.0, weight, (height // cell + 1, width // cell + 1, 3))
            cloud += cv2.resize(
                coarse.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC
            )
        cloud += rng.uniform(80.0, 170.0, 3).astype(np.float32)
        _ROOMS[number] = np.clip(cloud, 0, 255).astype(np.uint8)
    return _ROOMS[number]
