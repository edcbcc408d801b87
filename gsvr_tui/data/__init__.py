"""Data files shipped in the wheel."""
