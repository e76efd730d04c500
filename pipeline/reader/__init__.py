"""Manifests in: CSV, Excel and OpenDocument files become rows of text, with every column kept."""
