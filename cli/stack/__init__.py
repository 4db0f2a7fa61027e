"""The local stack: the servers of production, from wheels, under one supervisor."""
