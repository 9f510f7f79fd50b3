"""What `photon check` looks at: a small function for each thing."""
