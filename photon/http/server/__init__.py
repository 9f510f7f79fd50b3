"""The loops that move bytes between streams, protocols and an application."""
