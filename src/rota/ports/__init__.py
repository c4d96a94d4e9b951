"""What the engine needs from outside, as Protocols of at most twelve methods."""
