"""Keywords over tables, sheets and lists."""
