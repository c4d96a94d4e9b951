"""Nouns of Rota: values without I/O and without `await`."""
