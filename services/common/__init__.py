"""The chassis every service stands on. Imports no service. See docs/architecture/chassis.md."""
