"""The server: HTTP API, archive, durable queue, workers and pages."""
