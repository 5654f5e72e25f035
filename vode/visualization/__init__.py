"""Colour maps, plots and panels, drawn with matplotlib's objects and Agg canvas, without pyplot's global state."""
