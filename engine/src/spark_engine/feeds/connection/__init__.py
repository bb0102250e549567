"""One WebSocket connection: connect, subscribe, notice silence, come back."""
