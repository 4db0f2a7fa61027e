"""HEAR: what a person's answer means as the type a script asked for."""
