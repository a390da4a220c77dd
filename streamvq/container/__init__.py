"""The `.svq` file: reading, writing, and the coding of what it holds. FORMAT.md specifies every byte."""
