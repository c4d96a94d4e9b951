"""What users declare: tasks, their arguments, resources and middleware."""
