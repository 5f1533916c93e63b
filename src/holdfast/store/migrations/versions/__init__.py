"""The steps. They never import the tables: those change, and a step means what it meant when it was written."""
