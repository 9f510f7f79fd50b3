"""HTTP on the wire: state machines that take and give bytes and do no I/O."""
