"""Training: tasks (batch -> losses), the loop, checkpoints and logs. The only package that knows optimisers."""
