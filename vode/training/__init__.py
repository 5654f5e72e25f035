"""Training: stages (batch -> losses), the loop, checkpoints, logs. The only place that knows optimisers."""
