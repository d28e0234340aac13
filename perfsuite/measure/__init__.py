"""Starting workers and measuring with them: passes, stages, journal."""
