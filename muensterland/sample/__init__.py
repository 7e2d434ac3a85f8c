"""The synthetic sample region: invented publishers' files in the publishers' own formats, and their loopback server."""
