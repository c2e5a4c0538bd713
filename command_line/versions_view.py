"""How the versions of the model look: in a list, with their metrics, their lineage, and what was decided."""

from collections.abc import Sequence
from dataclasses import asdict

from command_line.console import Console, Table, moment
from deployment.reserve import Score
from pipelines.versions.evaluation_report import METRIC_COLUMNS, Evaluation, GateResult
from pipelines.versions.four_eyes import PENDING
from pipelines.versions.lineage import UNKNOWN, Lineage
from pipelines.versions.registry import Decision, ModelVersion


def models_table(versions: Sequence[ModelVersion], group: str, unit: str) -> Table:
    """One row for each version; RMSE and MAE in the target's unit."""
    return Table(
        ("VERSION", "STATUS", "CREATED", *METRIC_COLUMNS, "COMMIT", "BY", "COMMENT"),
        [
            (
                str(each.version),
                each.status,
                moment(each.created),
                *each.metrics.texts(unit),
                _short(each.commit),
                each.decided_by or "-",
                each.comment or "-",
            )
            for each in versions
        ],
        [each.document() for each in versions],
        f"Group {group} has no model yet: run the pipeline.",
    )


def metrics_table(evaluation: Evaluation, unit: str) -> Table:
    """One row for each candidate, or for the model where the candidates are not told apart."""
    models = evaluation.candidates or {"model": evaluation.model}
    return Table(
        ("MODEL", *METRIC_COLUMNS),
        [(name, *metrics.texts(unit)) for name, metrics in models.items()],
        evaluation.document(),
    )


def gates_table(gates: Sequence[GateResult]) -> Table:
    """One row for each gate."""
    rows = [(each.parameter, f"{each.value:.4g}", f"{each.bound} {each.limit:g}", _verdict(each)) for each in gates]
    return Table(("GATE", "VALUE", "LIMIT", "RESULT"), rows, [asdict(each) for each in gates], "It judged no gates.")


def _verdict(gate: GateResult) -> str:
    if not gate.passed:
        return "missed"
    return "passed narrowly" if gate.narrow else "passed"


def show_decision(console: Console, group: str, decision: Decision) -> None:
    """What became of a version, in a line; with --json one document."""
    if decision.repeated:
        console.line(f"Version {decision.version} of {group} was {decision.status}, and now is so by you.")
    elif decision.was == decision.status:
        said = f' ("{decision.comment}")' if decision.comment else ""
        console.line(f"Version {decision.version} of {group} is already {decision.status}{said}: nothing changed.")
    else:
        console.line(f"Version {decision.version} of {group} is {decision.status}; it was {decision.was}.")
    if console.json_output:
        console.document(
            {"arn": decision.arn, "version": decision.version, "status": decision.status, "was": decision.was}
        )


def show_lineage(console: Console, lineage: Lineage, unit: str) -> None:
    """The chain for a person, a line a link; with --json one document."""
    if console.json_output:
        console.document(lineage.document())
        return
    data, metrics = lineage.data, lineage.metrics.texts(unit)
    version = f", version {lineage.pipeline_version}" if lineage.pipeline_version else ""
    pipeline = f"{lineage.pipeline}{version}" if lineage.pipeline else None
    approved = f"{lineage.status} by {lineage.approver or UNKNOWN}" if lineage.status != PENDING else lineage.status
    rows = [
        ("Model package", lineage.model_package),
        ("Status", f'{approved} ("{lineage.comment}")' if lineage.comment else approved),
        ("Registered", lineage.created),
        ("Commit", lineage.commit),
        ("Pipeline", pipeline),
        ("Execution", lineage.execution),
        ("Definition", f"sha256 {lineage.definition_sha256}" if lineage.definition_sha256 else None),
        ("Code", f"{lineage.code_hash}  {lineage.code}" if lineage.code else None),
        ("Data", data.uri if data else None),
        ("", f"sha256 {data.sha256 or UNKNOWN}, S3 version {data.version_id or 'none'}" if data else None),
        ("Image", lineage.image),
        ("Model", lineage.model_data),
        ("Metrics", f"RMSE {metrics[0]}, MAE {metrics[1]}, MAPE {metrics[2]}, R2 {metrics[3]}"),
        ("", lineage.evaluation),
        *([("Reserve", _reserve(lineage))] if lineage.reserve else []),
        *((("Parameters", "")[index > 0], f"{name}={value}") for index, (name, value) in enumerate(_sorted(lineage))),
    ]
    for name, text in rows:
        console.line(f"{name:<14} {text or UNKNOWN}")


def _reserve(lineage: Lineage) -> str:
    score = Score.of_version(lineage.reserve)
    if score is None:
        return "not scored yet: `deploy_model.py promote` does that"
    return score.summary


def _sorted(lineage: Lineage) -> list[tuple[str, str]]:
    return sorted(lineage.parameters.items())


def _short(commit: str | None) -> str:
    if commit is None:
        return "-"
    identity, dash, rest = commit.partition("-")
    return identity[:9] + dash + rest
