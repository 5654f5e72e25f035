"""Colour maps, plots and panels. Figures use matplotlib's objects and its Agg canvas, never pyplot's state."""
