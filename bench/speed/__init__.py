"""How fast, how much, how long: each figure beside its ceiling, measured in the same run."""
