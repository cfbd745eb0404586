"""Where tables live: Delta tables in a folder or a bucket, changed by one atomic commit at a time."""
