"""Those who are measured: each a module with the same verbs, run in a process of its own."""
