"""Writes the parts of README.md and docs/ that are said by the code; `python -m docs.generate`."""
