"""Ground truth against estimates: each evaluator takes both and returns a Result."""
