"""What a process knows about itself: whether its hub moves, and what each greenlet waits for."""
