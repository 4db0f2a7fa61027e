"""What scripts ask of other people's servers."""
