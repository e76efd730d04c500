"""Clips of which it is known what is wrong with them: drawn and encoded from a seed."""
