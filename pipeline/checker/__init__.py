"""Rows become requests, or problems: every problem of every row at once."""
