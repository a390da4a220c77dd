"""Files of indices for devices, analysis and sprite editors: one format a file, bytes in and bytes out."""
