"""WebSocket sessions over the mesh. See docs/architecture/realtime.md."""
