"""``vode bench``: recipes trained with an equal budget on the same data, scored alike, in one table."""
