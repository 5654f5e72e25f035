"""Files of a prepared copy where they lie: in a folder, in archives with random access, here or at an address."""
