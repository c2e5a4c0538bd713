"""The commands about a data file that is here: the first version of its YAML, and what is wrong with it."""

from argparse import Namespace
from pathlib import Path

from command_line.capacity_view import data_needs, need_lines
from command_line.console import command_line
from command_line.context import Context, write_output
from command_line.stages import no_stage
from pipelines.checks.capacity import capacity_faults
from pipelines.checks.fault import Fault
from pipelines.errors import PipelineError
from pipelines.exit_codes import EXIT_OK
from pipelines.publishing.dataset import check_data

MANY_ROWS = 1_000_000  # from here on it is worth a word what they need


def begin_yaml(context: Context, options: Namespace) -> int:
    """init"""
    from profiling.draft import draft
    from profiling.errors import DataError
    from profiling.yaml_text import slug, yaml_of

    check_data(options.data)
    name = options.data.name.partition(".")[0]
    output: Path = options.output or Path(f"{slug(name)}.yaml")
    if output.exists() and not options.force:
        raise PipelineError(f"{output} exists: give another name with --output, or replace it with --force.")
    try:
        drafted = draft(options.data, options.target, options.encoding)
    except DataError as error:
        raise PipelineError(str(error)) from None
    write_output(output, yaml_of(drafted, name))
    console = context.console
    console.line(f"{output} says what {options.data} holds: {len(drafted.found.table):,} rows; look at it.")
    for note in drafted.notes:
        console.line(f"  (!) {note}", style="yellow")
    marked = sum(bool(column.notes) for column in drafted.columns)
    if marked:
        have = "column has" if marked == 1 else "columns have"
        console.line(f"  (!) {marked} {have} something to look at: the lines with (!) in the file")
    console.line("Next:")
    for words, local in (("check", context.local), ("run", True)):
        command = command_line("run_pipeline.py", local=local, config=output)
        console.line(f"  {command} {words} --data {options.data}")
    return EXIT_OK


def data_faults(context: Context, path: Path) -> list[Fault]:
    """Every fault of a data file here against the YAML; what stops no job is printed as a warning.

    Data that cannot fit into the machines of the YAML are not read.
    """
    from profiling.data_faults import check_file

    check_data(path)
    rows, found = data_needs(context, path)
    too_much = list(capacity_faults(found, rows))
    if too_much:
        context.console.line(f"{path} was not read: it has too many rows for the machines of the YAML.")
        return too_much
    for line in need_lines(rows, found) if rows >= MANY_ROWS else ():
        context.console.line(line)
    checked = check_file(path, context.settings.for_jobs(), context.settings.interval.coverage)
    for fault in checked.faults:
        if fault.warning:
            context.console.line(f"warning: {fault.path}: {fault.message}: {fault.fix}", style="yellow")
    if checked.rows:
        context.console.line(f"{path}: {checked.rows:,} rows, of which {checked.rejected:,} would be rejected")
    return [Fault("ValidateData", each.path, each.message, each.fix) for each in checked.faults if not each.warning]


def captured_requests(context: Context, stage: str) -> list[Fault]:
    """The captured requests of a stage that hold personal columns."""
    from pipelines.checks.captured import captured_faults

    settings = context.settings
    if stage not in settings.stages:
        raise PipelineError(no_stage(stage, settings.stages))
    if not settings.data.personal:
        raise PipelineError("The settings name no personal columns (data.personal): there is nothing to look for.")
    context.require_configured()
    prefix = f"{settings.name}/capture/{stage}/"
    faults, read = captured_faults(context.bucket_client(), context.environment.bucket, prefix, settings.data.personal)
    context.console.line(f"{stage}: {read:,} captured requests were read")
    return faults


def write_sample(context: Context, options: Namespace) -> int:
    """sample"""
    from profiling.errors import DataError
    from profiling.sample import request_of

    check_data(options.data)
    try:
        text = request_of(options.data, context.settings.for_jobs(), options.rows)
    except DataError as error:
        raise PipelineError(str(error)) from None
    if options.output is None:
        print(text, end="")
    else:
        write_output(options.output, text)
    return EXIT_OK


COMMANDS = {"init": begin_yaml, "sample": write_sample}
