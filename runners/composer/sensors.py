"""Tasks that wait for the inputs of the day."""

from typing import Any

from airflow.exceptions import AirflowException
from airflow.providers.google.cloud.sensors.gcs import GCSObjectsWithPrefixExistenceSensor

from runners.composer.airflow_names import TIMEOUT, TRIGGER_FAILED, AirflowFailException
from runners.composer.deployed import DEPLOYMENT
from runners.composer.plan import planned


class InputSensor(GCSObjectsWithPrefixExistenceSensor):
    """Succeeds when an object exists; does not wait again after a timeout."""

    def resume_execution(self, next_method: str, next_kwargs: Any, context: Any) -> Any:
        """Continue when the trigger has found the object, or given up."""
        try:
            return super().resume_execution(next_method, next_kwargs, context)
        except AirflowException as error:
            # Airflow 2 would retry, and wait just as long once more. A service that did not respond
            # in time is a different case.
            if next_method == TRIGGER_FAILED and TIMEOUT in str(error).lower():
                raise AirflowFailException(
                    f"{self.bucket}/{self.prefix}: did not arrive"
                ) from error
            raise


def wait_for(source: str) -> InputSensor:
    """A task that succeeds when an input arrives, and fails if it does not."""
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
        # Otherwise the names of all objects would go into Airflow's database.
        do_xcom_push=False,
    )
