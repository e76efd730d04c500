"""Workers of a Dask cluster that carry the bytes of a run; what is paid for stays with the run."""
