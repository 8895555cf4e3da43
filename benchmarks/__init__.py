"""Ours against the peers: quality on tables (`tables.py`) and speed (`speed.py`). See README.md beside this file."""
