"""Visual relocalization: absolute pose regression, with its data, networks, losses and evaluation."""
