"""Named environments that variants run in: which there are, pinned, built with uv."""
