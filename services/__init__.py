"""The services of the mesh. None imports another."""
