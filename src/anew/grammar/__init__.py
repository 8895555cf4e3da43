"""What a text may be: regular languages over bytes, and which tokens may come next in one of them."""
