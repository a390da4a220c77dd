"""Everything that writes media files: one kind of sink a file."""
