"""What people and tools read: records in, text or JSON out."""
