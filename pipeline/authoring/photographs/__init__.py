"""A folder of pictures becomes a manifest: which file belongs to which product, in which order."""
