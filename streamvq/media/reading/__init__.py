"""What sources of frames are made of: pictures, colors and delays as files have them."""
