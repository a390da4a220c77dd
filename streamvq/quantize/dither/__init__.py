"""Dither: codes of single pixels chosen so that neighbors together have the color that no code has alone."""
