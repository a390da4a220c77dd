"""Palette files of other programs: read by content, written by suffix."""
