"""Places where videos lie: a folder or a bucket, each behind the same four acts."""
