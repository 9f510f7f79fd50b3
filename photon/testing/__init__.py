"""The test bench: real sockets, wires in memory, and a patch that comes first."""
