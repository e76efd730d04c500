"""One run wired together, from its lock to its results."""
