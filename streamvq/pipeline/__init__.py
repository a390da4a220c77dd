"""The way through: plan, fit, encode, decode, and the result."""
