"""Who is asking: credentials are taken from requests here, and documents say which."""
