"""The edge: Envoy's configuration, the WebSocket bridge, the pages."""
