"""Templates: names and sources become pages, by minijinja."""
