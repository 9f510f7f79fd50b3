"""Engines that keep jobs in a server of their own, behind the interface `Queue`."""
