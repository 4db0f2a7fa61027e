"""What happens next: programs, the machine that runs them, the workers that claim turns."""
