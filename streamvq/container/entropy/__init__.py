"""Entropy coding: the binary range coder and adaptive probabilities. FORMAT.md, sections 7 and 8.2."""
