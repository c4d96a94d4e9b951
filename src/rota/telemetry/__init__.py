"""Listens to the engine's events. Nothing else reports a job's life."""
