"""The monitoring by itself on local SageMaker: `monitor --schedule` and `monitor --unschedule`."""

from argparse import Namespace

from command_line.context import Context
from command_line.monitoring_memory import stage_of
from command_line.upserting import upsert_compiled
from pipelines.errors import PipelineError
from pipelines.exit_codes import EXIT_OK
from pipelines.publishing.dataset import check_data, upload_data
from pipelines.publishing.deployed import describe_deployed
from pipelines.publishing.monitoring_schedule import delete_schedule, put_schedule, schedule_name, schedule_request


def schedule(context: Context, options: Namespace) -> int:
    """monitor --schedule"""
    stage = _stage(context, options)
    if options.data is not None:
        check_data(options.data)
    seen = describe_deployed(context.sagemaker, context.pipeline_name)
    compiled, s3 = context.compile(), context.bucket_client()
    data = (
        upload_data(s3, options.data, context.settings, context.environment, context.console.line)
        if options.data is not None
        else None
    )
    upsert_compiled(context, compiled, seen, force=False)
    arn = context.sagemaker.describe_pipeline(PipelineName=compiled.name)["PipelineArn"]
    request = schedule_request(context.settings, context.environment, arn, stage, data)
    is_new = put_schedule(context.client("scheduler"), request)
    words = "begins now" if is_new else "goes on as before, with what was given"
    context.console.line(f"{request['Name']}: {request['ScheduleExpression']}, {words}.")
    return EXIT_OK


def unschedule(context: Context, options: Namespace) -> int:
    """monitor --unschedule"""
    name = schedule_name(context.settings, _stage(context, options))
    if not delete_schedule(context.client("scheduler"), name):
        raise PipelineError(f"There is no schedule {name}: `monitor --schedule` creates it.")
    context.console.line(f"{name} is deleted: nothing runs automatically any more.")
    return EXIT_OK


def _stage(context: Context, options: Namespace) -> str:
    if not context.local:
        raise PipelineError(
            "On AWS the stack `monitoring` has the schedule: name it under stacks: in infrastructure/stages.yaml, and "
            "run `make bootstrap`."
        )
    if options.since or options.until:
        raise PipelineError("A schedule looks at the last whole window: leave out --since and --until.")
    return stage_of(context, options.stage)
