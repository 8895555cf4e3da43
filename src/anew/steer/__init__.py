"""Verbs written once over capabilities: conditions now; completion, interpolation, restyling later."""
