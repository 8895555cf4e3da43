"""One file per objective: what is minimised, and how to draw from what was learned."""
