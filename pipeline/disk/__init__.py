"""Our files, opened and placed safely: the output folder, its lock, whole files, SQLite files."""
