"""A feed in operation: sockets, clocks, disks and the tasks between them."""
