"""What runs in the sandbox's own processes: the standard library and the kernel, nothing else of ours or others'."""
