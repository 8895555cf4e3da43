"""Data at the border: files and frames in, records of typed fields out, and the way back."""
