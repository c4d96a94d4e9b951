"""The moving parts: they claim, run, settle, promote, rescue, tick and prune, and know no adapter."""
