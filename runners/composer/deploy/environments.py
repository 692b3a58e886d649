"""Cloud Composer environments: the folder from which Airflow reads its DAGs."""

from google.api_core.exceptions import Forbidden, NotFound
from google.cloud.orchestration.airflow.service_v1 import EnvironmentsClient
from google.cloud.orchestration.airflow.service_v1.services.environments.transports import (
    EnvironmentsGrpcTransport,
)

from anomaly.errors import ConfigurationError
from runners.dataproc.calls import RETRIED_CALL, calling, client_at
from runners.dataproc.settings import DataprocSettings

HOST = "composer.googleapis.com"
EMULATOR = "COMPOSER_EMULATOR_HOST"


def folder_of_dags(settings: DataprocSettings, environment: str) -> str:
    """The DAG folder of an environment, gs://BUCKET/FOLDER.

    Raises ConfigurationError if there is no such environment, or no permission to see it.
    """
    name = f"{settings.location}/environments/{environment}"
    with calling(name):
        client = client_at(EnvironmentsClient, EnvironmentsGrpcTransport, HOST, EMULATOR)
        try:
            found = client.get_environment(name=name, **RETRIED_CALL)
        except NotFound as error:
            missing = "does not exist; check project, region and [composer] environment"
            raise ConfigurationError(name, [missing]) from error
        except Forbidden as error:
            refused = f"permission denied ({error.message}); get the role Composer User on the "
            raise ConfigurationError(
                name, [f"{refused}project, or name the environment's bucket with --bucket"]
            ) from error
    folder = str(found.config.dag_gcs_prefix).rstrip("/")
    if not folder:
        unready = f"is {found.state.name} and has no bucket yet; wait until it is RUNNING"
        raise ConfigurationError(name, [unready])
    return folder
