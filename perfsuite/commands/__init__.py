"""The subcommands of ``perfsuite``, one file each: they parse arguments and call what does the work."""
