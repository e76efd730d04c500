"""Results out: the manifest again, in its own format, with the result of every row."""
