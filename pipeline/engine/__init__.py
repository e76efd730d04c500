"""Decides what to do next: answers in, events and commands out. Pure: no clock, no I/O."""
