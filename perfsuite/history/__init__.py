"""Every session that was measured, in a database."""
