"""What a result is like beside its original: figures, pictures, and a page."""
