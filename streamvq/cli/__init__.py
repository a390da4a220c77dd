"""The command line: options, one call into the library, and a summary."""
