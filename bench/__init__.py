"""Benchmarks: `make bench`. `plan` says what is measured, `cases` how, `contenders` on whom."""
