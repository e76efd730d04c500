"""Our files, opened and placed safely: folders, locks, whole files, private files, SQLite."""
