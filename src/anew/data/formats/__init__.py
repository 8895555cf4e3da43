"""One file per format family; the only place that knows files."""
