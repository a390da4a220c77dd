"""What sinks of frames are made of: files of pictures, and what goes beside them."""
