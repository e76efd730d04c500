"""Delimited text becomes rows: how it is written, and its records."""
