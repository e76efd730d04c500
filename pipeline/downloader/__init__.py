"""A URL becomes a whole, verified file at its final name."""
