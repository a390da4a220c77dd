"""Fast coding of groups of frames of codebook rows, by static models. FORMAT.md, section 13."""
