"""The sandbox: where code that bot authors wrote runs, in a process of its own from which nothing leads out."""
