"""A scene from posed images: tracked points, fused clouds, and the files that other programs open."""
