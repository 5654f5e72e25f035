"""The built-in world: rendered sequences with exact depth, flow and poses."""
