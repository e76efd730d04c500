"""A local ToAPIs: the same HTTP contract on loopback, for rehearsals and for tests."""
