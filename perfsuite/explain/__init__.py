"""Two measurements -> what changed between them. Pure: stored records in, causes and sentences out."""
