"""The command line: thin over `rota.operations`, with a table for people and JSON for programs."""
