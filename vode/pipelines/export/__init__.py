"""Networks as graphs for other programs: ONNX, and torch's exported programs."""
