"""Everything that drives or is parked; the front is towards +z."""

from __future__ import annotations

from vode.world.objects.cars import car, van
from vode.world.objects.cycles import bicycle, cyclist, motorbike
from vode.world.objects.trucks import bus, parked_trailer, truck

__all__ = ["bicycle", "bus", "car", "cyclist", "motorbike", "parked_trailer", "truck", "van"]
