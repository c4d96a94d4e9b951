"""What is measured: each module makes steps, and a step adds values to the figures."""
