"""Later work: background and timer tasks. They come with their own release."""
