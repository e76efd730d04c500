"""The HTTP API of ToAPIs: calls out, and their answers turned into records and errors."""
