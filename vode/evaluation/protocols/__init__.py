"""The protocols under which published figures were made, by the names of data sets and of systems."""
