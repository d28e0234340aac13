"""What each variant's kernels must look like, as data, and whether they do."""
