"""GIF files: differences between pictures, LZW, and the bytes around them."""
