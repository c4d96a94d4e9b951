"""What users' own tests of their tasks use, and the suites that every store passes."""
