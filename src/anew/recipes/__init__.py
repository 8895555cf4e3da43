"""Applications: 20 to 60 lines each over the public api."""
