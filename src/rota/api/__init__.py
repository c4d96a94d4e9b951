"""The HTTP API: thin, over operations."""
