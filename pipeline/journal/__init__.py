"""Durable events of one output folder, and the state of each row that they add up to."""
