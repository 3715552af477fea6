"""The judge, on histories written by hand."""
