"""Fetch bytes from publishers, parse them to typed Parquet, locate points in areas."""
