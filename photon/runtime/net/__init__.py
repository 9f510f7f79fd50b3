"""Addresses, listening sockets and byte streams."""
