"""Carry out what the engine decides: sockets, clock and files, and the seams to all of them."""
