"""Waves of a schedule: how large each may be, and what is found about them."""
