"""Views of a run's results: in the terminal, in the documents, as a picture."""
