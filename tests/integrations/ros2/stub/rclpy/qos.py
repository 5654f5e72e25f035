"""Quality of service."""

from enum import IntEnum


class HistoryPolicy(IntEnum):
    KEEP_LAST = 1
    KEEP_ALL = 2


class ReliabilityPolicy(IntEnum):
    RELIABLE = 1
    BEST_EFFORT = 2


class DurabilityPolicy(IntEnum):
    TRANSIENT_LOCAL = 1
    VOLATILE = 2


class QoSProfile:
    """History, depth, reliability and durability, with rmw's defaults."""

    def __init__(
        self,
        history=HistoryPolicy.KEEP_LAST,
        depth=None,
        reliability=ReliabilityPolicy.RELIABLE,
        durability=DurabilityPolicy.VOLATILE,
    ):
        if history == HistoryPolicy.KEEP_LAST and depth is None:
            raise ValueError("History set to KEEP_LAST without a depth setting.")
        self.history, self.depth, self.reliability, self.durability = history, depth, reliability, durability

    def offers(self, asked):
        """Whether a publisher's profile is at least what a subscription asks for."""
        return self.reliability <= asked.reliability and self.durability <= asked.durability


qos_profile_sensor_data = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
