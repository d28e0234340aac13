"""Two measurements -> what changed between them. Pure: records in, records out."""
