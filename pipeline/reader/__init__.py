"""Manifests in: CSV and Excel files become rows of text, with every column kept."""
