"""HTTP and WebSocket: requests, downloads, pages and the server that carries them."""
