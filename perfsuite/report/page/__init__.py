"""One file that a person looks at: what was judged as a heat map, and everything known of each variant."""
