"""Networks: images in, flow or depth out, at the caller's size."""
