"""The DAG of Airflow: `deploy-dag` uploads these modules, without the rest of the library."""
