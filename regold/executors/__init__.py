"""Where parts run: here, or on a cluster."""
