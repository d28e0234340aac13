"""What really ran: the libraries' own logs, read into records."""
