"""Places where attempts run: the worker's event loop, threads, child processes."""
