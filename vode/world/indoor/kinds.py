"""The kinds of rooms that there are, and what furnishes each."""

from __future__ import annotations

from collections.abc import Callable

from vode.world.indoor import home, work
from vode.world.indoor.floor_plan import Room
from vode.world.indoor.furnishing import Furnishing

Kind = Callable[[Furnishing, Room], None]

HOME: dict[str, Kind] = {
    "living room": home.living_room,
    "kitchen": home.kitchen_room,
    "bedroom": home.bedroom,
    "study": work.office,
    "dining room": home.dining_room,
    "hall": home.hall,
    "bathroom": home.bathroom,
}
WORK: dict[str, Kind] = {
    "office": work.office,
    "kitchen": home.kitchen_room,
    "meeting room": work.meeting_room,
    "workshop": work.workshop,
    "classroom": work.classroom,
    "lobby": work.lobby,
    "washroom": home.bathroom,
}
