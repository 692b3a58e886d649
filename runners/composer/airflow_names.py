"""Names of Airflow that moved between its versions, or that it has only as strings."""

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

# The method that Airflow resumes a task with if its trigger failed, and its word for a timeout.
TRIGGER_FAILED, TIMEOUT = "__fail__", "timeout"
