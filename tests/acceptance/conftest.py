"""The fixtures of a user's day (see `users.py`)."""

from tests.acceptance.users import app, clock, settings, shared_database

__all__ = ["app", "clock", "settings", "shared_database"]
