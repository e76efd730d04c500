"""Decides what to do next: replies in, events and commands out. Pure: no clock, no I/O."""
