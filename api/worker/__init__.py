"""The Celery worker: what runs beside the requests, woken by events and by the clock."""
