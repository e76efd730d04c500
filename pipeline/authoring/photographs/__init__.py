"""A folder of pictures becomes a manifest: which file shows which product, in which order."""
