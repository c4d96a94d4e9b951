"""Those who are measured, each in a module of its name and in processes of its own."""

__all__ = ["NAMES"]

NAMES = {
    "rota": "Rota",
    "raw": "raw loop",
    "pgqueuer": "PgQueuer",
    "huey": "Huey",
    "taskiq": "TaskIQ",
    "dramatiq": "Dramatiq",
    "celery": "Celery",
    "rq": "RQ",
}
"""How the contenders spell themselves, by how figures name them."""
