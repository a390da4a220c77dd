"""Aseprite's sprites, by Aseprite File Format Specifications (docs/ase-file-specs.md of Aseprite's repository)."""
