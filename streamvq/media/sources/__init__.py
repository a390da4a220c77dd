"""Everything that reads media files: one kind of source a file."""
