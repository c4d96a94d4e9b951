"""What a person may ask of a store, one module a noun; the command line, the API and the dashboard call these."""
