"""OS processes: their signals, later their supervisor."""
