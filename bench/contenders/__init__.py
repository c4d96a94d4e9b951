"""Those who are measured, each in a module of its name and in processes of its own."""
