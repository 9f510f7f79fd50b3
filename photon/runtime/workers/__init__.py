"""OS processes that serve: their supervisor, what they say to each other, who may ask them."""
