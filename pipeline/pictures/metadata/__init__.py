"""Pictures without their metadata: files are rewritten piece by piece, and never decoded."""
