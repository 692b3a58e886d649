"""Start bqemulator with the corrections that the Spark BigQuery connector needs.

    python tests/doubles/bigquery_emulator.py start --rest-port 9050 --grpc-port 9060

The arguments are those of the `bqemulator` command. As published, the emulator answers the Python
client well, but the Spark connector reads no rows from it and cannot overwrite a table. Each
`correct_...` function below mends one difference from the real service and says what the real
service does. They replace private functions, so they hold for one version of the emulator only.
"""

from __future__ import annotations

import dataclasses
import glob
import json
import re
from collections.abc import Awaitable, Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Any

PINNED_VERSION = "1.4.0"

INSERT_WHOLE_ROW = re.compile(r"\bINSERT ROW\b")

OLDER_TYPE_NAMES = {
    "INT64": "INTEGER",
    "FLOAT64": "FLOAT",
    "BOOL": "BOOLEAN",
    "STRUCT": "RECORD",
    "DECIMAL": "NUMERIC",
    "BIGDECIMAL": "BIGNUMERIC",
}

ERROR_MESSAGE = re.compile(r"@@error\.message\b", re.IGNORECASE)

# The emulator keeps @@error.message in a script variable of this name.
ERROR_MESSAGE_VARIABLE = "__error_message__"

# The script that the connector sends for a dynamic partition overwrite.
DYNAMIC_PARTITION_OVERWRITE = re.compile(
    r"DECLARE partitions_to_delete DEFAULT "
    r"\(SELECT ARRAY_AGG\(DISTINCT\((?P<partition>.*?)\) IGNORE NULLS\) "
    r"FROM (?P<source>`[^`]+`)\);\s*(?P<merge>MERGE.*)",
    re.DOTALL,
)


def require_pinned_version() -> None:
    """End the process, saying why, unless the installed emulator is the one corrected here."""
    try:
        installed = version("bqemulator")
    except PackageNotFoundError:
        installed = "not installed"
    if installed != PINNED_VERSION:
        raise SystemExit(
            f"bigquery_emulator.py corrects private functions of bqemulator {PINNED_VERSION}, "
            f"but the installed version is: {installed}. Install tests/cloud/requirements.txt, or "
            "go through every correction again before PINNED_VERSION is raised."
        )


def replace_attribute(owner: Any, name: str, replacement: Any) -> None:
    """Replace `owner.name`, which has to exist: a replacement that nobody calls helps no one."""
    if not hasattr(owner, name):
        raise SystemExit(f"bqemulator has no {owner.__name__}.{name} to correct")
    setattr(owner, name, replacement)


# --- start -----------------------------------------------------------------------------------


def correct_spatial_extension() -> None:
    """Start without DuckDB's spatial extension.

    Real BigQuery has GEOGRAPHY built in. The emulator downloads an extension for it while it
    starts, and does not start without a network; no table of this library has such a column.
    """
    from bqemulator.storage.engine import DuckDBEngine

    replace_attribute(DuckDBEngine, "_load_spatial", lambda engine: None)


def correct_type_names_of_created_tables() -> None:
    """Give the columns of a created table their older type names.

    Real BigQuery takes INT64, FLOAT64, BOOL and STRUCT in a schema, and answers INTEGER, FLOAT,
    BOOLEAN and RECORD. The emulator repeats what it was given, and the connector, which knows the
    older names only, ends with a NullPointerException.
    """
    from bqemulator.api.routes import tables

    original = tables._parse_schema_fields

    def parse_schema_fields(fields: list[dict[str, Any]]) -> Any:
        renamed = []
        for field in fields:
            given = field.get("type", "STRING").upper()
            renamed.append({**field, "type": OLDER_TYPE_NAMES.get(given, given)})
        return original(renamed)

    replace_attribute(tables, "_parse_schema_fields", parse_schema_fields)


def correct_expiration_of_tables() -> None:
    """Keep the time at which a table expires.

    Real BigQuery stores the expirationTime of a created or updated table and answers it. The
    emulator has a place for it, but neither reads nor answers it. (It deletes no table either.)
    """
    from bqemulator.api.routes import models, tables

    original_read, original_answer = tables._rest_to_table_meta, tables._table_to_rest

    def read_table(
        project: str, dataset: str, body: dict[str, Any], clock: Any, existing: Any = None
    ) -> Any:
        table = original_read(project, dataset, body, clock, existing)
        given = body.get("expirationTime")
        kept = existing.expiration_time if existing else None
        expires = kept if given is None else models._from_millis(given)
        return table.model_copy(update={"expiration_time": expires})

    def answer_table(table: Any) -> dict[str, Any]:
        answer = original_answer(table)
        if table.expiration_time is not None:
            answer["expirationTime"] = models._to_millis(table.expiration_time)
        return answer

    replace_attribute(tables, "_rest_to_table_meta", read_table)
    replace_attribute(tables, "_table_to_rest", answer_table)


def correct_columns_added_to_tables() -> None:
    """Add the columns that an update of a table's schema adds.

    Real BigQuery adds them, without values in the rows that are there. The emulator changes what
    it says of the table, but not the table.
    """
    from bqemulator.api.routes.tables import _field_to_rest
    from bqemulator.catalog.memory_repository import MemoryCatalogRepository
    from bqemulator.storage.sql_identifiers import quoted_table_ref
    from bqemulator.storage.type_map import bq_schema_to_duckdb_columns

    original = MemoryCatalogRepository.update_table

    def update_table(catalog: Any, table: Any) -> Any:
        key = (table.project_id, table.dataset_id, table.table_id)
        there = {field.name for field in catalog.get_table(*key).schema_.fields}
        added = [_field_to_rest(f) for f in table.schema_.fields if f.name not in there]
        for name, kind in bq_schema_to_duckdb_columns(added):
            catalog._engine.execute(
                f'ALTER TABLE {quoted_table_ref(*key)} ADD COLUMN IF NOT EXISTS "{name}" {kind}'
            )
        return original(catalog, table)

    replace_attribute(MemoryCatalogRepository, "update_table", update_table)


# --- storage interface: rows over gRPC ---------------------------------------------------------


def correct_read_session_schema() -> None:
    """Send the schema of a read session as a schema message alone.

    Real BigQuery sends one Arrow schema message, and the connector puts the record batches behind
    it. The emulator sends a complete stream with an end marker, where the Java reader stops: every
    read succeeds with zero rows.
    """
    from bqemulator.streaming import read_session

    replace_attribute(
        read_session, "_serialise_arrow_schema", lambda schema: schema.serialize().to_pybytes()
    )


def correct_nested_fields_of_direct_writes() -> None:
    """Keep the inner fields of RECORD columns in direct writes.

    Real BigQuery decodes a nested message by the table's nested schema. The emulator passes on
    name, type and mode of the outer field only, and every STRUCT arrives empty.
    """
    from bqemulator.api.routes.tabledata import _build_arrow_schema
    from bqemulator.api.routes.tables import _field_to_rest
    from bqemulator.grpc_api import write_servicer

    def table_arrow_schema(table: Any) -> Any:
        return _build_arrow_schema([_field_to_rest(field) for field in table.schema_.fields])

    replace_attribute(write_servicer, "_table_arrow_schema", table_arrow_schema)


def correct_stream_named_once() -> None:
    """Let the first request of a connection name its write stream for those that follow.

    Real BigQuery demands the name in the first request only. The emulator looks for a stream
    without a name, and a write of more rows than one request holds fails.
    """
    from bqemulator.grpc_api.write_servicer import BigQueryWriteHandler

    original = BigQueryWriteHandler._ensure_stream_bound

    def ensure_stream_bound(handler: Any, name: str, bound: Any, context: Any) -> Any:
        if bound is not None and not name:
            return bound
        return original(handler, name, bound, context)

    replace_attribute(BigQueryWriteHandler, "_ensure_stream_bound", ensure_stream_bound)


# --- queries -----------------------------------------------------------------------------------


def correct_merge_insert_row() -> None:
    """Accept `MERGE ... INSERT ROW`, which the connector sends to overwrite a table.

    Real BigQuery reads `INSERT ROW` as "all columns of the source row"; DuckDB spells it
    `INSERT *`, and the emulator does not translate it.
    """
    from bqemulator.storage.engine import DuckDBEngine

    original = DuckDBEngine.execute

    def execute(engine: Any, sql: str, parameters: list[Any] | None = None) -> Any:
        if sql.lstrip()[:5].upper() == "MERGE":
            sql = INSERT_WHOLE_ROW.sub("INSERT *", sql)
        return original(engine, sql, parameters)

    replace_attribute(DuckDBEngine, "execute", execute)


def correct_query_destination() -> None:
    """Write the result of a SELECT to its destination table.

    Real BigQuery writes every SELECT to a table: the one the job names, else an anonymous one, and
    obeys the write disposition. The connector reads that table afterwards (query and view reads).
    The emulator keeps the result in memory only and merely names a destination.
    """
    from bqemulator.api.routes import jobs

    async def write_destination(
        *,
        job_meta: Any,
        job_id: str,
        query_config: dict[str, Any],
        ctx: Any,
        caller: Any,
        request_project_id: str,
    ) -> Any:
        query_statistics = job_meta.statistics.get("query") or {}
        if query_statistics.get("statementType") == "SELECT":
            await _write_select_result(job_meta, job_id, query_config, ctx, request_project_id)
        return job_meta

    replace_attribute(jobs, "_apply_write_append", write_destination)


async def _write_select_result(
    job_meta: Any, job_id: str, query_config: dict[str, Any], ctx: Any, default_project: str
) -> None:
    """Put the rows of a finished SELECT job into its destination and name it in the job."""
    from bqemulator.jobs.executor import JOB_RESULTS

    job_query = job_meta.configuration["query"]
    destination = query_config.get("destinationTable") or job_query["destinationTable"]
    table = (
        destination.get("projectId") or default_project,
        destination["datasetId"],
        destination["tableId"],
    )
    async with ctx.engine.write_lock():
        reference = _prepare_select_destination(ctx, table, job_id, query_config)
        connection = ctx.engine.connection
        connection.register("select_result", JOB_RESULTS[job_id])
        try:
            connection.execute(f"INSERT INTO {reference} BY NAME SELECT * FROM select_result")
        finally:
            connection.unregister("select_result")
        row_count = connection.execute(f"SELECT count(*) FROM {reference}").fetchone()[0]
        written = ctx.catalog.get_table(*table).model_copy(update={"num_rows": row_count})
        ctx.catalog.update_table(written)
        ctx.snapshots.record_change(*table)
    project_id, dataset_id, table_id = table
    job_query["destinationTable"] = {
        "projectId": project_id,
        "datasetId": dataset_id,
        "tableId": table_id,
    }


def _prepare_select_destination(
    ctx: Any, table: tuple[str, str, str], job_id: str, query_config: dict[str, Any]
) -> str:
    """Make the destination ready for its write disposition; return its quoted name."""
    from bqemulator.domain.errors import InvalidQueryError
    from bqemulator.jobs.executor import JOB_SCHEMAS
    from bqemulator.storage.sql_identifiers import quoted_table_ref

    existing = ctx.catalog.get_table(*table)
    is_named = bool(query_config.get("destinationTable"))
    # A job that names a destination without a disposition means "only if empty".
    disposition = query_config.get("writeDisposition") or "WRITE_EMPTY"
    if existing is not None and disposition == "WRITE_APPEND":
        return quoted_table_ref(*table)
    if existing is not None and is_named and disposition == "WRITE_EMPTY" and existing.num_rows:
        raise InvalidQueryError("Already Exists: Table {}:{}.{}".format(*table))
    return _recreate_table(ctx, table, JOB_SCHEMAS[job_id], query_config)


def _recreate_table(
    ctx: Any, table: tuple[str, str, str], fields: list[dict[str, Any]], config: dict[str, Any]
) -> str:
    """Replace a table by an empty one with these fields; return its quoted name.

    Partitioning and clustering come from the job's configuration, else from the replaced table.
    """
    from bqemulator.api.routes.tables import _rest_to_clustering, _rest_to_time_partitioning
    from bqemulator.catalog.etag import generate_etag
    from bqemulator.catalog.models import TableMeta
    from bqemulator.jobs.executor import _build_explicit_schema
    from bqemulator.storage.sql_identifiers import quoted_table_ref

    project_id, dataset_id, table_id = table
    reference = quoted_table_ref(*table)
    now = ctx.clock.now()
    _create_missing_dataset(ctx, project_id, dataset_id, reference.rsplit(".", 1)[0])
    replaced = ctx.catalog.get_table(*table)
    if replaced is not None:
        ctx.catalog.delete_table(*table)
    ctx.engine.execute(f"DROP TABLE IF EXISTS {reference}")
    ctx.catalog.create_table(
        TableMeta(
            project_id=project_id,
            dataset_id=dataset_id,
            table_id=table_id,
            schema=_build_explicit_schema(ctx, reference, fields),
            creation_time=now,
            last_modified_time=now,
            etag=generate_etag(*table, str(now)),
            time_partitioning=_rest_to_time_partitioning(config.get("timePartitioning"), replaced),
            clustering=_rest_to_clustering(config.get("clustering"), replaced),
        )
    )
    return reference


def _create_missing_dataset(
    ctx: Any, project_id: str, dataset_id: str, schema_reference: str
) -> None:
    """Create a dataset unless it exists: that of the anonymous tables appears when first used."""
    from bqemulator.catalog.etag import generate_etag
    from bqemulator.catalog.models import DatasetMeta

    if ctx.catalog.get_dataset(project_id, dataset_id) is not None:
        return
    now = ctx.clock.now()
    ctx.catalog.create_dataset(
        DatasetMeta(
            project_id=project_id,
            dataset_id=dataset_id,
            creation_time=now,
            last_modified_time=now,
            etag=generate_etag(project_id, dataset_id, str(now)),
        )
    )
    ctx.engine.execute(f"CREATE SCHEMA IF NOT EXISTS {schema_reference}")


def _wrap_query_jobs(wrap: Callable[[Callable[..., Awaitable[Any]]], Any]) -> None:
    """Wrap the function that runs query jobs, where the routes look it up."""
    from bqemulator.api.routes import jobs

    replace_attribute(jobs, "execute_query_job", wrap(jobs.execute_query_job))


def correct_raise_in_scripts() -> None:
    """Report a RAISE in a script as a failed query.

    Real BigQuery ends the job with an invalidQuery error that carries the message. The emulator
    answers with HTTP 500, which clients take for an outage and retry for ten minutes.
    """
    from bqemulator.domain.errors import InvalidQueryError
    from bqemulator.scripting.exceptions import ScriptRaise

    def wrap(original: Callable[..., Awaitable[Any]]) -> Any:
        async def execute_query_job(*arguments: Any, **options: Any) -> Any:
            try:
                return await original(*arguments, **options)
            except ScriptRaise as raised:
                raise InvalidQueryError(raised.message) from raised

        return execute_query_job

    _wrap_query_jobs(wrap)


def correct_repeated_job_ids() -> None:
    """Run a query job once, however often it is sent.

    Real BigQuery answers 409 for a job id that is there already, so that a client whose answer was
    lost may send its job again. The emulator runs it again.
    """
    from bqemulator.api.routes import jobs
    from bqemulator.domain.errors import ResourceRef, resource_already_exists

    original = jobs._handle_query_job

    async def handle_query_job(project: str, job: str, config: Any, **options: Any) -> Any:
        if options["ctx"].catalog.get_job(project, job) is not None:
            raise resource_already_exists(ResourceRef("job", project, resource_id=job))
        return await original(project, job, config, **options)

    replace_attribute(jobs, "_handle_query_job", handle_query_job)


def correct_parameters_of_scripts() -> None:
    """Give the statements of a script the named parameters of its query.

    Real BigQuery binds `@name` in every statement of a script. The emulator binds them in single
    statements only. Text, dates, whole numbers and arrays of them are enough here.
    """
    from bqemulator.jobs import executor

    original = executor._run_query_body

    def literal(kind: dict[str, Any], value: dict[str, Any]) -> str:
        if kind["type"] == "ARRAY":
            listed = (literal(kind["arrayType"], one) for one in value["arrayValues"])
            return f"[{', '.join(listed)}]"
        text = str(value["value"])
        of_kind = f"CAST({json.dumps(text)} AS {kind['type']})"
        return str(int(text)) if kind["type"] == "INT64" else of_kind

    async def run_query_body(**options: Any) -> Any:
        for parameter in options["query_params"] or [] if options["is_scripted"] else []:
            name = re.escape(parameter["name"])
            options["bq_sql"] = re.sub(
                rf"(?<!@)@{name}\b",
                lambda _, p=parameter: literal(p["parameterType"], p["parameterValue"]),
                options["bq_sql"],
            )
        return await original(**options)

    replace_attribute(executor, "_run_query_body", run_query_body)


def correct_dynamic_partition_overwrite() -> None:
    """Run the script by which the connector overwrites only the partitions it has rows for.

    Real BigQuery derives the type of `DECLARE name DEFAULT (...)` and aggregates with
    `ARRAY_AGG(DISTINCT ... IGNORE NULLS)`. The emulator can do neither, so the list of partitions
    goes into the MERGE as a subquery, which selects the same rows.
    """

    def inline_partitions(sql: str) -> str:
        found = DYNAMIC_PARTITION_OVERWRITE.match(sql)
        if found is None:
            return sql
        partitions = f"IN (SELECT DISTINCT {found['partition']} FROM {found['source']})"
        return found["merge"].replace("IN UNNEST(partitions_to_delete)", partitions)

    def wrap(original: Callable[..., Awaitable[Any]]) -> Any:
        async def execute_query_job(
            project_id: str, job_id: str, sql: str, *arguments: Any, **options: Any
        ) -> Any:
            return await original(project_id, job_id, inline_partitions(sql), *arguments, **options)

        return execute_query_job

    _wrap_query_jobs(wrap)


# --- transactions ------------------------------------------------------------------------------


def correct_rollback_in_exception_handlers() -> None:
    """Let an EXCEPTION handler decide about the open transaction.

    Real BigQuery hands the error to the handler with the transaction still open, and the handler
    commits or rolls back. The emulator forgets the saved rows first, so that ROLLBACK does nothing.
    """
    from bqemulator.domain.errors import DomainError
    from bqemulator.scripting.exceptions import ScriptRaise
    from bqemulator.scripting.interpreter import ScriptInterpreter

    async def run_handler(interpreter: Any, statements: Any, message: str) -> None:
        interpreter._frames.push(kind="block")
        interpreter._frames.declare(ERROR_MESSAGE_VARIABLE, "STRING", message)
        try:
            for statement in statements:
                await interpreter._exec_statement(statement)
        finally:
            interpreter._frames.pop()

    async def execute_block(interpreter: Any, block: Any) -> None:
        try:
            await interpreter._run_block(block.body, frame_kind="block")
        except (ScriptRaise, DomainError) as error:
            if block.exception_handler is None:
                raise
            await run_handler(interpreter, block.exception_handler, error.message)

    replace_attribute(ScriptInterpreter, "_exec_begin", execute_block)


def correct_error_in_exception_handlers() -> None:
    """Let an EXCEPTION handler name and raise again the error it handles.

    In real BigQuery `@@error.message` is the message of the handled error, and `RAISE` without a
    message raises that error again. The emulator keeps the message in a variable, but reads the
    name `@@error.message` as a broken string, and a bare RAISE raises an error of its own.
    """
    from bqemulator.scripting import interpreter as scripting

    original_rewrite = scripting._rewrite_vars_to_params
    original_raise = scripting.ScriptInterpreter._exec_raise

    def rewrite_variables(sql: str, frames: Any) -> Any:
        return original_rewrite(ERROR_MESSAGE.sub(ERROR_MESSAGE_VARIABLE, sql), frames)

    async def execute_raise(interpreter: Any, statement: Any) -> None:
        if statement.message_expr is None and interpreter._frames.has(ERROR_MESSAGE_VARIABLE):
            statement = dataclasses.replace(statement, message_expr=ERROR_MESSAGE_VARIABLE)
        await original_raise(interpreter, statement)

    replace_attribute(scripting, "_rewrite_vars_to_params", rewrite_variables)
    replace_attribute(scripting.ScriptInterpreter, "_exec_raise", execute_raise)


def correct_unfinished_transactions() -> None:
    """Roll back a transaction that is still open when its script ends.

    Real BigQuery rolls back on every end of a query without COMMIT, after an error or not. The
    emulator commits when no error is left, which would hide a forgotten COMMIT.
    """
    from bqemulator.scripting import interpreter as scripting

    async def run(interpreter: Any, source: str) -> Any:
        script = scripting.parse_script(source)
        try:
            for statement in script.statements:
                await interpreter._exec_statement(statement)
        finally:
            # Does nothing after COMMIT or ROLLBACK.
            await interpreter._restore_txn_snapshots()
            if interpreter._temp_routines is not None:
                interpreter._temp_routines.cleanup()
        return scripting.ScriptResult(
            final_table=interpreter._final_table,
            statements_executed=interpreter._statements_executed,
        )

    replace_attribute(scripting.ScriptInterpreter, "run", run)


# --- load jobs: files of a bucket into a table -------------------------------------------------


def correct_parquet_columns_by_name() -> None:
    """Match the columns of Parquet files by name.

    Real BigQuery does; the emulator goes by position and mixes up columns of the same type.
    """
    from bqemulator.jobs import executor

    def load_parquet(path: str, reference: str, ctx: Any) -> None:
        ctx.engine.execute(f"INSERT INTO {reference} BY NAME SELECT * FROM read_parquet(?)", [path])

    executor._LOAD_FORMAT_HANDLERS["PARQUET"] = load_parquet


def correct_load_destination() -> None:
    """Prepare the destination of a load job as its configuration says.

    Real BigQuery creates a missing table with the schema of the Parquet files and the job's
    partitioning and clustering; WRITE_TRUNCATE replaces the schema together with the rows; and
    `table$YYYYMMDD` with WRITE_TRUNCATE replaces one day's partition. The emulator wants the
    table to exist, deletes rows only, and takes the `$` for a part of the name.
    """
    from bqemulator.api.routes import jobs, upload

    original = jobs.execute_load_job

    async def execute_load_job(
        project_id: str, job_id: str, config: dict[str, Any], ctx: Any
    ) -> Any:
        load = _prepare_load(project_id, config["load"], ctx)
        job = await original(project_id, job_id, {**config, "load": load}, ctx)
        _complete_load_statistics(job, load)
        return job

    replace_attribute(jobs, "execute_load_job", execute_load_job)
    replace_attribute(upload, "execute_load_job", execute_load_job)


def _prepare_load(project_id: str, load: dict[str, Any], ctx: Any) -> dict[str, Any]:
    """Prepare the table that a load job writes to; return the load that is left to do."""
    destination = load["destinationTable"]
    table_id, _, partition = destination["tableId"].partition("$")
    table = (destination.get("projectId", project_id), destination["datasetId"], table_id)
    existing = ctx.catalog.get_table(*table)
    replaces = load.get("writeDisposition") == "WRITE_TRUNCATE"
    fields = _load_fields(load, ctx)
    if fields and (existing is None or (replaces and not partition)):
        _recreate_table(ctx, table, fields, load)
    elif partition and replaces:
        _delete_day(ctx, table, existing, partition)
    remaining = {**load, "destinationTable": {**destination, "tableId": table_id}}
    if partition:
        remaining["writeDisposition"] = "WRITE_APPEND"
    return remaining


def _load_fields(load: dict[str, Any], ctx: Any) -> list[dict[str, Any]] | None:
    """Give the schema of a load job: the one in its configuration, else that of its first file."""
    from bqemulator.jobs.executor import _resolve_uri, build_response_schema

    fields = (load.get("schema") or {}).get("fields")
    if fields or load.get("sourceFormat", "CSV").upper() != "PARQUET":
        return fields
    files = sorted(glob.glob(_resolve_uri(load["sourceUris"][0], ctx)))
    if not files:
        return None  # the load itself reports the missing file
    no_rows = ctx.engine.fetch_arrow("SELECT * FROM read_parquet(?) LIMIT 0", files[:1])
    return build_response_schema(no_rows.schema)


def _delete_day(ctx: Any, table: tuple[str, str, str], existing: Any, day: str) -> None:
    """Delete the rows of one day's partition (YYYYMMDD)."""
    from bqemulator.domain.errors import InvalidQueryError
    from bqemulator.storage.sql_identifiers import quoted_table_ref

    if existing is None or existing.time_partitioning is None:
        raise InvalidQueryError("{}:{}.{} is not a partitioned table".format(*table))
    column = existing.time_partitioning.field
    ctx.engine.execute(
        f"DELETE FROM {quoted_table_ref(*table)} WHERE strftime(\"{column}\", '%Y%m%d') = ?",
        [day],
    )


def _complete_load_statistics(job: Any, load: dict[str, Any]) -> None:
    """Add the numbers that the real service always reports and the Java client reads unasked."""
    files = str(len(load.get("sourceUris", [])))
    job.statistics["load"].update(
        inputFiles=files, inputFileBytes="1", outputBytes="1", badRecords="0"
    )


def correct_upload_media_types() -> None:
    """Accept an upload whatever media type the client gives it.

    Real BigQuery goes by the job's sourceFormat; the Python client sends `*/*`, which the emulator
    refuses.
    """
    from bqemulator.api.routes import upload

    replace_attribute(upload, "_is_permitted_media_type", lambda media_type: True)


CORRECTIONS: tuple[Callable[[], None], ...] = (
    correct_spatial_extension,
    correct_type_names_of_created_tables,
    correct_expiration_of_tables,
    correct_columns_added_to_tables,
    correct_read_session_schema,
    correct_nested_fields_of_direct_writes,
    correct_stream_named_once,
    correct_merge_insert_row,
    correct_query_destination,
    correct_raise_in_scripts,
    correct_repeated_job_ids,
    correct_parameters_of_scripts,
    correct_dynamic_partition_overwrite,
    correct_rollback_in_exception_handlers,
    correct_error_in_exception_handlers,
    correct_unfinished_transactions,
    correct_parquet_columns_by_name,
    correct_load_destination,
    correct_upload_media_types,
)


def main() -> None:
    """Apply every correction, then hand over to the emulator's own command line."""
    require_pinned_version()
    for correct in CORRECTIONS:
        correct()
    from bqemulator.cli import main as emulator_command_line

    emulator_command_line()


if __name__ == "__main__":
    main()
