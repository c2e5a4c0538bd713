"""The operations of EventBridge Scheduler, by their names in its API; the runner calls what is due."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from local_sagemaker.api.listing import cut
from local_sagemaker.errors import ServiceError, invalid
from local_sagemaker.schedules.expressions import Expression, parse
from local_sagemaker.schedules.targets import Targets
from local_sagemaker.state.record_kinds import REQUEST_TOKEN, SCHEDULE, SCHEDULE_GROUP
from local_sagemaker.state.record_types import Document
from local_sagemaker.state.records import Records
from local_sagemaker.wire.dispatch import Caller, Request
from local_sagemaker.work.tags import Tags

DEFAULT = "default"
EARLY_SECONDS = 300.0
LATEST = 253402300799.0  # the last second of the year 9999
RETRIES = {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185}
PAGE = 50
CheckRole = Callable[[str, Caller], None]
SET = (
    "Description",
    "EndDate",
    "FlexibleTimeWindow",
    "KmsKeyArn",
    "ScheduleExpression",
    "StartDate",
    "Target",
)


class Schedules:
    """Keeps schedules and their groups; `changed` is called after each change."""

    def __init__(
        self,
        records: Records,
        tags: Tags,
        targets: Targets,
        check_role: CheckRole,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._records = records
        self._tags = tags
        self._targets = targets
        self._check_role = check_role
        self._time = now
        self.changed: Callable[[], None] = lambda: None

    def create_schedule(self, request: Request, caller: Caller) -> Document:
        """Keep a new schedule."""
        return self._once("CreateSchedule", request, caller, lambda: self._create(request, caller))

    def update_schedule(self, request: Request, caller: Caller) -> Document:
        """Replace a schedule: what the request does not say is back at its default."""
        return self._once("UpdateSchedule", request, caller, lambda: self._update(request, caller))

    def get_schedule(self, request: Request, caller: Caller) -> Document:
        """One schedule."""
        return self._schedule(request, caller)

    def delete_schedule(self, request: Request, caller: Caller) -> Document:
        """Delete a schedule."""
        self._schedule(request, caller)
        self._records.delete(SCHEDULE, _name(request, caller))
        self.changed()
        return {}

    def list_schedules(self, request: Request, caller: Caller) -> Document:
        """The schedules of a region, or of a group in it."""
        group = request.get("GroupName")
        if group is not None:
            self._require_group(group, caller)
        found = [
            document
            for document in self._records.all(SCHEDULE, prefix=f"{caller.region}/{f'{group}/' if group else ''}")
            if document["Name"].startswith(request.get("NamePrefix", ""))
            and request.get("State") in (None, document["State"])
        ]
        return cut(found, request, result="Schedules", name="Arn", default_size=PAGE)

    def create_schedule_group(self, request: Request, caller: Caller) -> Document:
        """Keep a new group."""
        name, now = request["Name"], self._time()
        arn = _arn(caller, f"schedule-group/{name}")

        def create() -> Document:
            dates = {"CreationDate": now, "LastModificationDate": now, "CreationTime": now}
            group = {"Name": name, "Arn": arn, "State": "ACTIVE", **dates}
            if name == DEFAULT or not self._records.create(SCHEDULE_GROUP, f"{caller.region}/{name}", group):
                raise _conflict(f"Schedule group {name} already exists.")
            self._tags.set(arn, request.get("Tags", []))
            return {"ScheduleGroupArn": arn}

        return self._once("CreateScheduleGroup", request, caller, create)

    def get_schedule_group(self, request: Request, caller: Caller) -> Document:
        """One group."""
        return self._require_group(request["Name"], caller)

    def delete_schedule_group(self, request: Request, caller: Caller) -> Document:
        """Delete a group with its schedules."""
        name = request["Name"]
        if name == DEFAULT:
            raise invalid("The default schedule group cannot be deleted.")
        group = self._require_group(name, caller)
        with self._records.lock:
            self._records.delete_all(SCHEDULE, f"{caller.region}/{name}/")
            self._records.delete(SCHEDULE_GROUP, f"{caller.region}/{name}")
            self._tags.remove(group["Arn"], [tag["Key"] for tag in self._tags.of(group["Arn"])])
        self.changed()
        return {}

    def list_schedule_groups(self, request: Request, caller: Caller) -> Document:
        """The groups of a region."""
        groups = [_default_group(caller), *self._records.all(SCHEDULE_GROUP, prefix=f"{caller.region}/")]
        found = [group for group in groups if group["Name"].startswith(request.get("NamePrefix", ""))]
        return cut(found, request, result="ScheduleGroups", name="Arn", default_size=PAGE)

    def list_tags_for_resource(self, request: Request, caller: Caller) -> Document:
        """The tags of a group."""
        self._require_group(_group_of(request), caller)
        return {"Tags": self._tags.of(request["ResourceArn"])}

    def tag_resource(self, request: Request, caller: Caller) -> Document:
        """Add tags to a group."""
        self._require_group(_group_of(request), caller)
        self._tags.add(request["ResourceArn"], request["Tags"])
        return {}

    def untag_resource(self, request: Request, caller: Caller) -> Document:
        """Take tags from a group."""
        self._require_group(_group_of(request), caller)
        self._tags.remove(request["ResourceArn"], request["TagKeys"])
        return {}

    def _create(self, request: Request, caller: Caller) -> Document:
        now = self._time()
        document = self._document(request, caller, created=now, now=now, start_before=None)
        if not self._records.create(SCHEDULE, _name(request, caller), document):
            raise _conflict(f"Schedule {request['Name']} already exists.")
        return {"ScheduleArn": document["Arn"]}

    def _update(self, request: Request, caller: Caller) -> Document:
        before = self._schedule(request, caller)
        start = before.get("StartDate")
        document = self._document(request, caller, created=before["CreationDate"], now=self._time(), start_before=start)
        self._records.put(SCHEDULE, _name(request, caller), document)
        return {"ScheduleArn": document["Arn"]}

    def _document(
        self, request: Request, caller: Caller, *, created: float, now: float, start_before: float | None
    ) -> Document:
        """A schedule as it is kept: `Due` is the next moment at which its target is called, none where it is over."""
        self._require_group(request.get("GroupName", DEFAULT), caller)
        self._targets.check(request["Target"])
        self._check_role(request["Target"]["RoleArn"], caller)
        _check_window(request["FlexibleTimeWindow"])
        for name in ("StartDate", "EndDate"):
            if not 0 <= _seconds(request.get(name, 0)) <= LATEST:
                raise invalid(f"{name} is not a moment in seconds since 1970: {request[name]!r}.")
        document = {
            **{name: request[name] for name in SET if name in request},
            "Name": request["Name"],
            "GroupName": request.get("GroupName", DEFAULT),
            "Arn": _arn(caller, f"schedule/{request.get('GroupName', DEFAULT)}/{request['Name']}"),
            "Region": caller.region,
            "State": request.get("State", "ENABLED"),
            "ScheduleExpressionTimezone": request.get("ScheduleExpressionTimezone", "UTC"),
            "ActionAfterCompletion": request.get("ActionAfterCompletion", "NONE"),
            "CreationDate": created,
            "CreationTime": created,
            "LastModificationDate": now,
        }
        document["Target"] = {
            **request["Target"],
            "RetryPolicy": {**RETRIES, **request["Target"].get("RetryPolicy", {})},
        }
        expression = expression_of(document)
        if expression.recurs:
            _check_dates(document, now, start_before)
        elif expression.next_after(now) is None:
            raise invalid(f"Invalid Schedule Expression {request['ScheduleExpression']}: the time is in the past.")
        due = first_due(document, expression, now)
        return document if due is None else {**document, "Due": due}

    def _schedule(self, request: Request, caller: Caller) -> Document:
        self._require_group(request.get("GroupName", DEFAULT), caller)
        found = self._records.get(SCHEDULE, _name(request, caller))
        if found is None:
            raise _missing(f"Schedule {request['Name']} does not exist.")
        return found

    def _require_group(self, name: str, caller: Caller) -> Document:
        found = (
            _default_group(caller) if name == DEFAULT else self._records.get(SCHEDULE_GROUP, f"{caller.region}/{name}")
        )
        if found is None:
            raise _missing(f"Schedule group {name} does not exist.")
        return found

    def _once(self, operation: str, request: Request, caller: Caller, act: Callable[[], Document]) -> Document:
        """The same ClientToken gets the same answer for the same request, and it happens once."""
        token = request.get("ClientToken")
        name = f"{_arn(caller, _name(request, caller))}/{operation}/{token}"
        asked = {key: value for key, value in request.items() if key != "ClientToken"}
        with self._records.lock:
            earlier = self._records.get(REQUEST_TOKEN, name) if token else None
            if earlier is not None:
                if earlier["Request"] != asked:
                    raise _conflict("The ClientToken was used before, with another request.")
                return dict(earlier["Answer"])
            answer = act()
            if token:
                self._records.put(REQUEST_TOKEN, name, {"Request": asked, "Answer": answer})
        self.changed()
        return answer


def expression_of(schedule: Mapping[str, Any]) -> Expression:
    """The expression of a schedule; ServiceError where it is not valid."""
    text, zone = schedule["ScheduleExpression"], schedule["ScheduleExpressionTimezone"]
    try:
        return parse(text, zone, schedule.get("StartDate", schedule["CreationDate"]))
    except (ValueError, OverflowError) as error:
        raise invalid(f"Invalid Schedule Expression {text}: {error}.") from None


def first_due(schedule: Mapping[str, Any], expression: Expression, now: float) -> float | None:
    """When a schedule that was changed now is due: a new rate begins at once, or with its StartDate."""
    start = schedule.get("StartDate", now) if expression.recurs else now
    is_first = start > now or now == schedule["CreationDate"]
    return within(schedule, expression.next_after(int(max(now, start)) - 1 if is_first else now))


def within(schedule: Mapping[str, Any], due: float | None) -> float | None:
    """A moment, unless it is beyond the EndDate."""
    return None if due is None or due > schedule.get("EndDate", due) else due


def _seconds(given: Any) -> float:
    return float(given) if isinstance(given, int | float) else -1.0


def _check_window(window: Mapping[str, Any]) -> None:
    if (window["Mode"] == "FLEXIBLE") != ("MaximumWindowInMinutes" in window):
        raise invalid("MaximumWindowInMinutes is for a FlexibleTimeWindow whose Mode is FLEXIBLE, and only for that.")


def _check_dates(schedule: Mapping[str, Any], now: float, start_before: float | None) -> None:
    start, end = schedule.get("StartDate"), schedule.get("EndDate")
    if start is not None and start != start_before and start < now - EARLY_SECONDS:
        raise invalid("The StartDate you specify cannot be earlier than 5 minutes ago.")
    if end is not None and end < now:
        raise invalid("The EndDate you specify is in the past.")
    if start is not None and end is not None and end <= start:
        raise invalid("The EndDate you specify must be after the StartDate.")


def _default_group(caller: Caller) -> Document:
    return {"Name": DEFAULT, "Arn": _arn(caller, f"schedule-group/{DEFAULT}"), "State": "ACTIVE"}


def _group_of(request: Request) -> str:
    return str(request["ResourceArn"]).rpartition("/")[2]


def _name(request: Request, caller: Caller) -> str:
    return f"{caller.region}/{request.get('GroupName', DEFAULT)}/{request['Name']}"


def _arn(caller: Caller, resource: str) -> str:
    return f"arn:aws:scheduler:{caller.region}:{caller.account}:{resource}"


def _conflict(message: str) -> ServiceError:
    return ServiceError("ConflictException", message, 409)


def _missing(message: str) -> ServiceError:
    return ServiceError("ResourceNotFoundException", message, 404)
