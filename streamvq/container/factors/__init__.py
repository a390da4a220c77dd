"""Coding of groups of frames of quantized factors. FORMAT.md, sections 9 and 10."""
