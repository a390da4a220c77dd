"""Results compared with their originals: figures, plots, and an HTML page."""
