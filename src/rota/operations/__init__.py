"""What a person may ask of a store, one module a noun; command line, API and dashboard call these."""
