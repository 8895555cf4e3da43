"""One file per architecture, each built from spaces alone."""
