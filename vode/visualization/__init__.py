"""Colour maps, plots and panels, by matplotlib's objects and its Agg canvas, never by pyplot's state."""
