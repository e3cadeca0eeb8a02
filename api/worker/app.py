"""The Celery application: how tasks are delivered, repeated and timed."""

from pathlib import Path

from celery import Celery

#: No task runs longer; the long ones stop themselves well before and ask to be called again.
TASK_LIMIT_S = 300
#: A task taken by a worker that then vanished comes back after this: longer than any task runs,
#: or a slow task would run twice at once.
VISIBILITY_S = 2 * TASK_LIMIT_S
QUEUE = "orienta"


def create_worker(redis_url: str, *, schedule_file: Path | None = None) -> Celery:
    """Build the application on a Redis.

    Args:
        schedule_file: where beat remembers when it last ran what.
    """
    worker = Celery("orienta", broker=redis_url)
    worker.conf.update(
        task_default_queue=QUEUE,
        task_ignore_result=True,  # what a task did is in the database
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        task_time_limit=TASK_LIMIT_S,
        task_soft_time_limit=TASK_LIMIT_S - 30,
        broker_connection_retry_on_startup=True,
        worker_cancel_long_running_tasks_on_connection_loss=True,
        broker_transport_options={
            "visibility_timeout": VISIBILITY_S,
            "unacked_restore_throttle": 1,
        },
        worker_hijack_root_logger=False,
    )
    if schedule_file is not None:
        worker.conf.beat_schedule_filename = str(schedule_file)
    return worker
