"""Tasks that wait for the inputs of the day."""

from typing import Any

from airflow.exceptions import AirflowException
from airflow.providers.google.cloud.sensors.gcs import GCSObjectsWithPrefixExistenceSensor

from runners.composer.airflow_names import TIMEOUT, TRIGGER_FAILED, AirflowFailException
from runners.composer.deployed import DEPLOYMENT
from runners.composer.plan import planned


class InputSensor(GCSObjectsWithPrefixExistenceSensor):
    """Ends when an object is there; one that does not come in time is not waited for again."""

    def resume_execution(self, next_method: str, next_kwargs: Any, context: Any) -> Any:
        """Go on when the triggerer has found the object, or given up."""
        try:
            return super().resume_execution(next_method, next_kwargs, context)
        except AirflowException as error:
            # Airflow 2 would try again, and wait as long once more. What the triggerer tells of a
            # service that did not answer in time is another matter.
            if next_method == TRIGGER_FAILED and TIMEOUT in str(error).lower():
                raise AirflowFailException(f"{self.bucket}/{self.prefix}: did not come") from error
            raise


def wait_for(source: str) -> InputSensor:
    """A task that ends when an input is there, and fails when it does not come."""
    return InputSensor(
        task_id=f"wait-for-{source}",
        doc_md=f"Waits until the {source} of the day are on gs://.",
        bucket=planned(f"bucket_of_{source}"),
        prefix=planned(f"prefix_of_{source}"),
        google_cloud_conn_id=DEPLOYMENT.connection,
        deferrable=DEPLOYMENT.deferrable,
        mode="reschedule",
        poke_interval=60,
        timeout=DEPLOYMENT.input_hours * 3600,
        # The names of all objects would go to Airflow's database.
        do_xcom_push=False,
    )
