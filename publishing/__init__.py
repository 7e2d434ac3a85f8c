"""Releases of the regional marts: build, compare, promote, keep."""
