"""Ready-made wrappers around applications, groups and routes: one file, one idea."""
