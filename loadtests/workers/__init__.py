"""What several workers are worth: scaling, memory, reloads, deaths, blocked hubs, balance."""
