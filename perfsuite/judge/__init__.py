"""What measured facts come to; nobody else decides."""
