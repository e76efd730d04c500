"""Review: people judge the takes of a manifest, and what they say is kept."""
