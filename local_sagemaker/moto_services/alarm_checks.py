"""Which alarms CloudWatch refuses, and which could never be evaluated here."""

from collections.abc import Mapping, Sequence
from typing import Any

from local_sagemaker.metrics.alarms import COMPARISONS, MISSING_DATA
from local_sagemaker.metrics.composite import RuleFault, alarms_of, holds
from local_sagemaker.metrics.expressions import ExpressionFault, ids_of
from local_sagemaker.metrics.statistics import is_statistic

PERIODS = (1, 5, 10, 30)  # seconds, beside the multiples of a minute


def check_alarm(request: Mapping[str, Any], known: set[str]) -> None:
    """Raise a ValidationError where an alarm could never be evaluated; `known` are the alarms that there are."""
    name = request["name"]
    if request.get("rule") is not None:
        try:
            holds(request["rule"], {})
        except RuleFault as fault:
            raise _invalid(f"{name}: {fault}") from None
        gone = [each for each in alarms_of(request["rule"]) if each.rpartition(":alarm:")[2] not in known]
        if gone:
            raise _invalid(f"The rule of {name} names alarms that do not exist: {', '.join(gone)}.")
        return
    if request["comparison_operator"] not in COMPARISONS or request.get("threshold") is None:
        raise _invalid(
            f"{name}: a Threshold is needed, and one of {', '.join(COMPARISONS)}.",
        )
    if (request.get("treat_missing_data") or "missing") not in MISSING_DATA:
        raise _invalid(f"{name}: TreatMissingData must be one of {', '.join(MISSING_DATA)}.")
    periods = int(request["evaluation_periods"])
    if not 1 <= int(request.get("datapoints_to_alarm") or periods) <= periods:
        raise _invalid(f"{name}: DatapointsToAlarm must be 1 to EvaluationPeriods ({periods}).")
    queries = request.get("metric_data_queries")
    if queries:
        _check_queries(name, queries)
        return
    stat = request.get("extended_statistic") or request.get("statistic")
    if not request.get("metric_name") or not stat or not is_statistic(stat):
        raise _invalid(f"{name}: MetricName and a Statistic, or a percentile, are needed.")
    check_period(name, request.get("period"))


def _check_queries(name: str, queries: Sequence[Any]) -> None:
    returned = [query for query in queries if query.return_data is not False]
    if len(returned) != 1:
        raise _invalid(f"{name}: exactly one of Metrics must have ReturnData true.")
    for query in queries:
        if query.expression:
            try:
                unknown = ids_of(query.expression) - {each.id for each in queries}
            except ExpressionFault as fault:
                raise _invalid(f"{name}: {fault}") from None
            if unknown:
                raise _invalid(f"{name}: the expression names unknown ids: {', '.join(sorted(unknown))}.")
        elif query.metric_stat is None or not is_statistic(query.metric_stat.stat):
            raise _invalid(f"{name}: the query {query.id} has neither a known Stat nor an Expression.")
        else:
            check_period(name, query.metric_stat.period)


def check_period(name: str, period: Any) -> None:
    """Raise a ValidationError where a period is not one that CloudWatch has."""
    if period is None or int(period) < 1 or (int(period) not in PERIODS and int(period) % 60):
        raise _invalid(f"{name}: Period must be 1, 5, 10, 30 or a multiple of 60 seconds, not {period}.")


def service_fault(code: str, message: str) -> Exception:
    """An error that moto writes in the protocol of the request."""
    from moto.cloudwatch.exceptions import CloudWatchException

    return CloudWatchException(code, message)


def _invalid(message: str) -> Exception:
    return service_fault("ValidationError", message)
