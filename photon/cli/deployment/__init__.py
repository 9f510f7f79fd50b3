"""Files that run an application in production, made of templates: `photon generate deployment`."""
