"""Devices, persons and what is known of them."""
