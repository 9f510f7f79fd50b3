"""Upgraded streams: WebSockets over wsproto. Their handshake comes with the first of them."""
