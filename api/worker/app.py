"""The Celery application: how tasks are delivered, repeated and timed."""

from pathlib import Path

from celery import Celery

#: No task runs longer; the long ones stop themselves well before and ask to be called again.
TASK_LIMIT_S = 300
#: A task taken by a worker that then vanished comes back after this: longer than any task runs,
#: or a slow task would run twice at once.
VISIBILITY_S = 2 * TASK_LIMIT_S
QUEUE = "orienta"

#: Task, seconds between its runs. A run that nobody took by the next one is dropped.
SCHEDULE = {
    "relay_outbox": 1.0,
    "run_deliveries": 2.0,
    "deliver_outbound": 2.0,
    "run_sandbox": 1.0,
    "send_reminders": 300.0,
    "run_payments": 1.0,
    "poll_payments": 60.0,
    "advance_sagas": 1.0,
    "embed_pending": 15.0,
    "settle_embedders": 30.0,
    "find_duplicates": 30.0,
    "run_imports": 5.0,
    "sweep": 30.0,
    "forget_old": 600.0,
    "refresh_analytics": 15.0,
    "expire_holds": 10.0,
    "expire_quotes": 30.0,
    "breach_clocks": 20.0,
}


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
        beat_schedule={
            name: {
                "task": f"orienta.{name}",
                "schedule": period_s,
                "options": {"expires": max(period_s, 1.0)},
            }
            for name, period_s in SCHEDULE.items()
        },
    )
    if schedule_file is not None:
        worker.conf.beat_schedule_filename = str(schedule_file)
    return worker
