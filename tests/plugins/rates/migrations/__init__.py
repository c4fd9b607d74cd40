"""Tables of a made-up plugin."""
