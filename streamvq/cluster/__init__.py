"""More than one process or machine: shares that merge."""
