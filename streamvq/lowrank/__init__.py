"""The maths of truncated SVD: factors of frames, as real and as whole numbers. Arrays in, arrays out."""
