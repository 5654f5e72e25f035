"""The route of the camera through an outdoor scene, and the traffic around it."""

from vode.world.scenes.traffic.lanes import ahead, alongside, oncoming
from vode.world.scenes.traffic.queue import delayed, queue, standing
from vode.world.scenes.traffic.route import Route, find_route
from vode.world.scenes.traffic.walkers import crossing, strollers

__all__ = [
    "Route",
    "ahead",
    "alongside",
    "crossing",
    "delayed",
    "find_route",
    "oncoming",
    "queue",
    "standing",
    "strollers",
]
