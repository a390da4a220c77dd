"""The command line: options become settings, one call into the pipeline, and a summary."""
