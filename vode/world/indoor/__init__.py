"""Rooms: their walls, what they are furnished with, their light, and who walks through them."""
