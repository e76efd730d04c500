"""Sheets of models: what a video model takes, as data."""
