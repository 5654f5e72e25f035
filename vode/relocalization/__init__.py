"""Visual relocalization: absolute pose regression, whole."""
