"""Rota: one job scheduler for Python."""
