"""One module per gRPC service: translates and nothing else."""
