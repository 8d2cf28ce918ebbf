"""Where tasks live: one module a service, all behind the contract in `connectors.base`."""
