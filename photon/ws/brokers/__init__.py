"""Brokers: what carries messages between the processes of an application."""
