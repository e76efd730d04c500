"""Local pictures: found, checked by decoding them, hashed, and remembered until they change."""
