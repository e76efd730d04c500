"""The configuration: `settings` defines it, `loading` resolves it, `catalogue` lists it."""
