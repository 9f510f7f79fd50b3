"""The roof: composes routes, handlers, middleware and problems into one application."""
