"""A shop's export, a folder of pictures, or nothing yet becomes a manifest."""
