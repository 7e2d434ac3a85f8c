"""The gate: what the marts of a candidate must be like before they are released."""
