"""What plugins are written with; loads nothing but the standard library."""
