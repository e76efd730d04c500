"""What the ways to a new manifest share: prompts from words, the choice of pictures, the sheet."""
