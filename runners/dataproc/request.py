"""The batch to submit, built from settings, arguments and uploaded code."""

from datetime import timedelta

from google.cloud import dataproc_v1

from runners.dataproc.settings import DataprocSettings
from runners.dataproc.uploads import UploadedCode

SUBMISSION = "submission"
SERVICE_ACCOUNT = dataproc_v1.AuthenticationConfig.AuthenticationType.SERVICE_ACCOUNT


def batch_of(
    settings: DataprocSettings, code: UploadedCode, arguments: list[str]
) -> dataproc_v1.Batch:
    """A batch that runs `arguments`; whoever submits it adds the label `submission`."""
    return dataproc_v1.Batch(
        pyspark_batch=dataproc_v1.PySparkBatch(
            main_python_file_uri=code.main_file,
            # A wheel works on the driver but not on executors: a zip works on both.
            python_file_uris=[code.archive],
            args=arguments,
        ),
        runtime_config=dataproc_v1.RuntimeConfig(
            version=settings.runtime_version, properties=_properties(settings)
        ),
        environment_config=dataproc_v1.EnvironmentConfig(
            execution_config=dataproc_v1.ExecutionConfig(
                service_account=settings.service_account,
                subnetwork_uri=settings.subnetwork or None,
                ttl=timedelta(minutes=settings.ttl_minutes),
                # Runtime 3.0 would otherwise run as the person who submits.
                authentication_config=dataproc_v1.AuthenticationConfig(
                    user_workload_authentication_type=SERVICE_ACCOUNT
                ),
            ),
            peripherals_config=_history_server(settings),
        ),
        labels=settings.labels,
    )


def _properties(settings: DataprocSettings) -> dict[str, str]:
    return {
        "spark.dynamicAllocation.minExecutors": str(settings.minimum_executors),
        "spark.dynamicAllocation.initialExecutors": str(settings.minimum_executors),
        "spark.dynamicAllocation.maxExecutors": str(settings.maximum_executors),
        **settings.properties,
    }


def _history_server(settings: DataprocSettings) -> dataproc_v1.PeripheralsConfig | None:
    if not settings.history_server:
        return None
    parent = f"projects/{settings.project}/regions/{settings.region}"
    server = dataproc_v1.SparkHistoryServerConfig(
        dataproc_cluster=f"{parent}/clusters/{settings.history_server}"
    )
    return dataproc_v1.PeripheralsConfig(spark_history_server_config=server)
