"""Nights: several manifests by themselves, between hours, within a budget, and told about."""
