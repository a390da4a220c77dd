"""Results compared with their originals: figures, plots, and an HTML page."""

MAX_FRAMES = 24  # in a page, unless `max_frames` is given; here, because the command line reads it before numpy loads
