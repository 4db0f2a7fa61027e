"""What the service knows, without wires."""
