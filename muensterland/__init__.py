"""Command line, one-shot runner and settings of the Münsterland regional data pipeline."""
