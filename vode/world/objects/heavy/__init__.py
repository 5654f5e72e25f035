"""Large vehicles with what one sees of them from the next lane: tractors, trailers, lorries with a purpose."""
