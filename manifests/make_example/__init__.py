"""Makes the example in `manifests/`: `python -m manifests.make_example`."""
