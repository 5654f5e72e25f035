"""Networks: images in, flow or depth out, at the size of the input."""
