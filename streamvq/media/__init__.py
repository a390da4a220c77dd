"""The edges: everything that reads or writes media files."""
