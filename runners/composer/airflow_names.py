"""Names of Airflow: those that its versions keep in different places, and those it has as texts."""

try:
    from airflow.sdk import BaseHook, Param, task
except ImportError:  # Airflow 2
    from airflow.decorators import task
    from airflow.hooks.base import BaseHook
    from airflow.models.param import Param
try:
    from airflow.sdk.exceptions import AirflowFailException
except ImportError:  # before Airflow 3.3
    from airflow.exceptions import AirflowFailException

__all__ = ["TIMEOUT", "TRIGGER_FAILED", "AirflowFailException", "BaseHook", "Param", "task"]

# What Airflow resumes a task with whose triggerer failed, and what it says if that took too long.
TRIGGER_FAILED, TIMEOUT = "__fail__", "timeout"
