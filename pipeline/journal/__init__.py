"""Durable events and the state they add up to; recovery by replay."""
