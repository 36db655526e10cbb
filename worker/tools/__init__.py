"""Tools for people who write rules: check, try, and measure them on labelled comments."""
