"""Reports, piece by piece."""
