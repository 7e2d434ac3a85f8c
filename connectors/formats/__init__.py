"""One module per publisher format: bytes of one snapshot to typed rows."""
