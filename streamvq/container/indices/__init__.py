"""Coding of groups of frames of codebook rows. FORMAT.md, section 8."""
