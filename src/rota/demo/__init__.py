"""The built-in demo: when do the world's clocks change? Start reading in `app.py`."""
