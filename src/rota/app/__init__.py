"""The user's face: `Rota`, its tasks, jobs and schedules."""
