"""From a request to a handler's arguments: a signature is read once and compiled into a plan."""
