"""From method and path to a route: templates are read once and compiled into one function."""
