"""HTTP: messages, wire protocols, and the server that moves them."""
