"""Two-view motion of a batch of correspondences: the solver's door, and its parts a module each."""

from vode.geometry.two_view.selection import Model
from vode.geometry.two_view.solver import BACKENDS, TwoView, TwoViewOptions, fundamental_matrix, relative_pose

__all__ = ["BACKENDS", "Model", "TwoView", "TwoViewOptions", "fundamental_matrix", "relative_pose"]
