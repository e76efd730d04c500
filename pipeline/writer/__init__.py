"""Results out: the manifest again, in its own format, with what came of every row."""
