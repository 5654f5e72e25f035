"""Truth against estimate: each evaluator takes both and returns a Result."""
