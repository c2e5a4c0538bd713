"""Each module has a test that is named for it, that imports it, or that the tables below name.

A test that a table names was seen to run the module's lines (coverage of the unit tests by test file), or drives it
through a command, a server or a job, which import graphs do not show.
"""

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
IMPORT = re.compile(r"^ *(?:import ([\w.]+)|from ([\w.]+) import (\([^)]*\)|.*))", re.MULTILINE)
FOLDERS = ("command_line", "deployment", "evaluation", "infrastructure", "lessons", "local_sagemaker", "monitoring",
           "notebooks", "pipelines", "profiling", "steps", "studio")  # fmt: skip
# A test, and the modules that it runs by what it imports.
INSIDE = {
    "command_line/test_plan_view.py": ["pipelines.document.differences"],
    "command_line/test_report_command.py": ["command_line.identity", "pipelines.versions.execution_evaluation"],
    "deployment/test_reserve.py": ["deployment.job_end"],
    "evaluation/test_evaluate.py": ["evaluation.drawing", "evaluation.reasons", "evaluation.scoring"],
    "evaluation/test_report.py": ["evaluation.number_texts"],
    "local_sagemaker/definition/test_check.py": [
        "local_sagemaker.definition.for_each_faults",
        "local_sagemaker.definition.outline",
        "local_sagemaker.definition.references",
        "local_sagemaker.definition.shapes",
        "local_sagemaker.definition.step_fields",
        "local_sagemaker.wire.shapes",
    ],
    "local_sagemaker/iam/test_policy.py": ["local_sagemaker.iam.patterns"],
    "local_sagemaker/lineage/test_lineage.py": [
        "local_sagemaker.lineage.entities",
        "local_sagemaker.lineage.experiments",
    ],
    "local_sagemaker/processes/test_leftovers.py": ["local_sagemaker.files"],
    "monitoring/test_observe.py": [
        "monitoring.figures",
        "monitoring.groups",
        "monitoring.model_monitor",
    ],
    "monitoring/test_served.py": ["monitoring.cohorts"],
    "pipelines/checks/test_check.py": [
        "pipelines.checks.images",
        "pipelines.checks.locations",
        "pipelines.checks.types",
        "pipelines.definition.champion_input",
        "pipelines.definition.looks_input",
        "pipelines.definition.observation_files",
        "pipelines.definition.sdk_steps",
    ],
    "pipelines/definition/test_catalogue.py": ["pipelines.definition.validation"],
    "pipelines/settings/test_settings.py": [
        "pipelines.settings.explained",
        "pipelines.settings.section",
        "pipelines.settings.strict_yaml",
    ],
    "pipelines/test_aws_client.py": ["pipelines.clients"],
    "pipelines/versions/test_evaluation_report.py": ["pipelines.files"],
    "profiling/test_draft.py": ["profiling.file_form", "profiling.quick_model", "profiling.rules"],
    "profiling/test_values.py": ["steps.format_hints"],
    "steps/test_joined_hosts.py": ["steps.host_watch"],
    "steps/test_other_trees.py": ["steps.catboost_trees", "steps.lightgbm_trees"],
    "steps/test_same_answers.py": ["steps.quantile_interval"],
    "steps/test_settings.py": [
        "steps.evaluated_settings",
        "steps.split_settings",
    ],
    "steps/test_linear.py": ["steps.design"],
    "steps/test_validate.py": ["steps.accepted_rows", "steps.examination", "steps.validation"],
}
# A test, and the modules that run in the commands, servers and jobs that it starts; a folder stands for all in it.
THROUGH_PROCESSES = {
    "command_line/test_pipeline_commands.py": [
        "command_line.upserting",
        "pipelines.exit_codes",
    ],
    "deployment/test_deploy_model.py": [
        "command_line.deploying",
        "command_line.deployment_commands",
        "command_line.deployment_history",
        "command_line.load_test",
        "command_line.returning",
        "command_line.stage_status",
        "command_line.steering",
    ],
    "deployment/test_removal.py": ["command_line.removing"],
    "deployment/test_shadow.py": ["command_line.beside", "command_line.shadow"],
    "end_to_end/test_another_data_set.py": ["command_line.reserve", "deployment.life_cycle"],
    "end_to_end/test_approve_deploy_predict.py": [
        "command_line.account_check",
        "command_line.check_view",
        "command_line.evidence",
        "command_line.prediction_view",
    ],
    "end_to_end/test_monitoring.py": [
        "command_line.monitoring_memory",
        "command_line.monitoring_schedule",
    ],
    "infrastructure/test_replay.py": [
        "command_line.batch",
        "command_line.infrastructure_commands",
        "command_line.version_difference",
        "infrastructure.local_roles",
    ],
    "lessons/test_lessons.py": ["lessons.breaks", "lessons.sdk"],
    "local_sagemaker/api/test_endpoints.py": [
        "local_sagemaker.api.models",
        "local_sagemaker.hosting.invocation_metrics",
        "local_sagemaker.http.asked",
    ],
    "local_sagemaker/api/test_scaling.py": ["local_sagemaker.api.scaling_policies"],
    "local_sagemaker/api/test_tuning.py": ["local_sagemaker.tuning.run", "local_sagemaker.work.tuning"],
    "local_sagemaker/api/test_lineage_writes.py": ["local_sagemaker.lineage.written"],
    "local_sagemaker/asynchronous/test_asynchronous.py": [
        "local_sagemaker.asynchronous.",
        "local_sagemaker.http.asynchronous",
    ],
    "local_sagemaker/client/test_sdk_redirection.py": ["local_sagemaker.client.site.sitecustomize"],
    "local_sagemaker/engine/test_callback_steps.py": ["local_sagemaker.api.callbacks"],
    "local_sagemaker/api/test_selective_executions.py": ["local_sagemaker.api.reference_execution"],
    "local_sagemaker/functions/test_functions.py": [
        "local_sagemaker.functions.",
        "local_sagemaker.http.functions",
        "local_sagemaker.wire.rest",
    ],
    "local_sagemaker/handlers/test_handlers.py": ["local_sagemaker.handlers.handler_process"],
    "local_sagemaker/hosting/test_multi_model.py": ["local_sagemaker.hosting.model_cache_metrics"],
    "local_sagemaker/api/test_rollouts.py": ["local_sagemaker.hosting.serverless"],
    "local_sagemaker/iam/test_enforcement.py": ["local_sagemaker.iam.guard"],
    "local_sagemaker/jobs/test_algorithm.py": [
        "local_sagemaker.toolkits.xgboost.",
        "local_sagemaker.toolkits.xgboost_handlers",
        "local_sagemaker.toolkits.xgboost_training",
    ],
    "local_sagemaker/jobs/test_training.py": ["local_sagemaker.work.job_history"],
    "local_sagemaker/moto_services/s3/test_state.py": ["local_sagemaker.moto_services.s3."],
    "local_sagemaker/moto_services/test_cloudwatch.py": [
        "local_sagemaker.moto_services.alarm_checks",
        "local_sagemaker.moto_services.alarms",
    ],
    "local_sagemaker/moto_services/test_control_plane.py": [
        "local_sagemaker.moto_services.fields",
        "local_sagemaker.moto_services.request_handler",
        "local_sagemaker.state.snapshots",
    ],
    "local_sagemaker/processes/test_images.py": ["local_sagemaker.processes.describe_python"],
    "local_sagemaker/targets/test_runs.py": ["local_sagemaker.targets.target_process"],
    "local_sagemaker/toolkits/test_model_server.py": [
        "local_sagemaker.toolkits.context",
        "local_sagemaker.toolkits.hugging_face_handlers",
        "local_sagemaker.toolkits.neighbours",
        "local_sagemaker.toolkits.pytorch_handlers",
        "local_sagemaker.toolkits.scikit_learn_handlers",
    ],
    "local_sagemaker/toolkits/test_packages.py": ["local_sagemaker.toolkits.packages."],
    "notebooks/test_notebooks.py": ["notebooks.linear."],
    "studio/test_pages.py": ["studio.pages.", "studio.place", "studio.web.routes"],
}


def module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


SOURCES = {
    module(path): path
    for folder in FOLDERS
    for path in (ROOT / folder).rglob("*.py")
    if path.stem not in ("__init__", "__main__")
}


@cache
def imported(path: Path) -> set[str]:
    """The modules that a file imports, and what it takes out of packages, which may be modules."""
    names: set[str] = set()
    for plain, package, taken in IMPORT.findall(path.read_text(encoding="utf-8")):
        names |= {plain, package, *(f"{package}.{name}" for name in re.findall(r"\w+", taken))}
    return names


def has_a_test(name: str) -> bool:
    """Whether a test file has its name, or imports it."""
    path = SOURCES[name].relative_to(ROOT)
    return (ROOT / "tests" / path.parent / f"test_{path.name}").exists() or name in imported_by_tests()


@cache
def imported_by_tests() -> frozenset[str]:
    return frozenset().union(*(imported(path) for path in (ROOT / "tests").rglob("*.py")))


def said(table: dict[str, list[str]]) -> dict[str, str]:
    """The test of each module of a table; an entry that ends with a point stands for the modules below it."""
    entries = [(entry, test) for test, names in table.items() for entry in names]
    return {
        name: test
        for entry, test in entries
        for name in SOURCES
        if name == entry or (entry.endswith(".") and name.startswith(entry))
    }


def reached(path: Path) -> set[str]:
    """The modules of the project that a test file, or the conftest beside or above it, loads."""
    found: set[str] = set()
    above = [folder / "conftest.py" for folder in path.parents if ROOT in folder.parents]
    waiting = [path, *(each for each in above if each.exists())]
    while waiting:
        for name in imported(waiting.pop()):
            if name not in found and name in SOURCES:
                found.add(name)
                waiting.append(SOURCES[name])
            elif name.startswith("tests.") and name not in found:
                found.add(name)
                theirs = ROOT / f"{name.replace('.', '/')}.py"
                waiting += [theirs] if theirs.exists() else []
    return found


def test_each_module_has_a_test() -> None:
    named = {**said(INSIDE), **said(THROUGH_PROCESSES)}
    assert [name for name in sorted(SOURCES) if not has_a_test(name) and name not in named] == []


@pytest.mark.parametrize("table", [INSIDE, THROUGH_PROCESSES], ids=["inside", "through processes"])
def test_the_tables_name_tests_and_modules_that_there_are_and_no_module_that_has_its_own(
    table: dict[str, list[str]],
) -> None:
    assert [test for test in table if not (ROOT / "tests" / test).exists()] == []
    entries = [entry for names in table.values() for entry in names]
    assert [entry for entry in entries if not any(name.startswith(entry) for name in SOURCES)] == []
    assert [entry for entry in entries if entry in SOURCES and has_a_test(entry)] == []
    assert len(set(entries)) == len(entries)


@pytest.mark.parametrize("test", INSIDE)
def test_a_test_that_is_said_to_run_a_module_imports_it_or_what_does(test: str) -> None:
    assert set(INSIDE[test]) - reached(ROOT / "tests" / test) == set()
