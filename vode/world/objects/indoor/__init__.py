"""Furniture, fittings and the small things that lie about in rooms and corridors."""
