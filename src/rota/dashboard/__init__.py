"""The dashboard: pages made on the server, over the same operations as the API and the command line."""
