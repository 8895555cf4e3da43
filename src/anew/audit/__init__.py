"""The evidence: measures of synthetic data against real data, each beside its ceiling and its floor."""
