"""The maths: sketches, fitting, codebooks and exact nearest codes. Arrays in, arrays out."""
