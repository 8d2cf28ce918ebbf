"""Fakes of the services that connectors speak to: they speak the real protocol over HTTP on loopback."""
