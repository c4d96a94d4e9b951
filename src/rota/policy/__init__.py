"""Decisions as pure functions: they are given what they need, and change nothing."""
