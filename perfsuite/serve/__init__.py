"""Stored sessions in a browser: read only, on this machine."""
