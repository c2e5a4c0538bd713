"""The roles of roles.yaml against the record of what each did: nothing denied, nothing allowed without a reason."""

from dataclasses import replace

import pytest

from infrastructure.calls import calls
from infrastructure.permissions import lacks_of_roles, unused
from infrastructure.roles import Account, attached, roles, with_policies
from local_sagemaker.iam.access import Access
from local_sagemaker.iam.policy import Decision, Principal, decide, statements

ACCOUNT = Account("111122223333", "eu-west-1", "house-prices", "houses", kms_key="1", in_vpc=True)
PACKAGE = "arn:aws:sagemaker:eu-west-1:111122223333:model-package/house-prices/3"
PEOPLE = ("data-engineer", "data-scientist", "approver", "mlops-engineer")
STARTERS = {"build", "data-engineer", "data-scientist", "mlops-engineer"}
BUILD = {
    # CodeBuild itself calls them, and local SageMaker has no CodeBuild.
    "logs:CreateLogGroup",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "codebuild:BatchPutTestCases",
    "codebuild:CreateReport",
    "codebuild:CreateReportGroup",
    "codebuild:UpdateReport",
}
LARGE = "s3:AbortMultipartUpload"  # boto3 ends an upload in parts that has failed; nothing here was that large
SCALING = {
    "application-autoscaling:DeleteScalingPolicy",  # of another policy, that somebody else has made
    "iam:CreateServiceLinkedRole",  # the first time that an account scales an endpoint
}
# S3 asks for them for objects that the bucket's key encrypts; local S3 encrypts nothing.
ENCRYPTED = {"kms:Decrypt", "kms:GenerateDataKey"}
LOGS = {
    "logs:DescribeLogStreams",
    "logs:FilterLogEvents",
    "logs:GetLogEvents",
}  # here the command reads logs from files
# Reading is one policy for everyone; each uses its part.
READING = {
    "s3:GetObject",
    "s3:ListBucket",
    "sagemaker:DescribeModelPackage",
    "sagemaker:DescribePipeline",
    "sagemaker:DescribePipelineDefinitionForExecution",
    "sagemaker:DescribePipelineExecution",
    "sagemaker:DescribeProcessingJob",
    "sagemaker:ListModelPackages",
    "sagemaker:ListPipelineExecutionSteps",
    "sagemaker:ListPipelineExecutions",
    "sagemaker:ListPipelineParametersForExecution",
}
# Also for everyone: what was tried, where the settings choose tuning in place of Train.
TRIALS = {"sagemaker:DescribeHyperParameterTuningJob", "sagemaker:ListTrainingJobsForHyperParameterTuningJob"}
OF_LAMBDA = {"logs:CreateLogStream", "logs:PutLogEvents"}  # Lambda itself writes the logs of functions
# What a role is allowed and was never recorded doing, with the reason why it stays.
UNUSED: dict[str, set[str]] = {
    "execution": {
        # Tuning, which the settings choose in place of Train, and what stops jobs.
        "sagemaker:CreateHyperParameterTuningJob",
        "sagemaker:DescribeHyperParameterTuningJob",
        "sagemaker:ListTrainingJobsForHyperParameterTuningJob",
        "sagemaker:StopHyperParameterTuningJob",
        # AWS looks for the group on behalf of the first version; here the pipeline's role only makes it.
        "sagemaker:DescribeModelPackageGroup",
    },
    "removal": set(),
    "serving": {LARGE, "s3:PutObject"},  # of what is captured and predicted: local SageMaker writes it itself
    "collect": OF_LAMBDA,
    # Whether the training that a window before has started still runs; that S3 answers 404 for what is not there.
    "act": OF_LAMBDA | {"sagemaker:DescribePipelineExecution", "s3:ListBucket"},
    "scheduler": {"sqs:SendMessage"},  # of a window for which no execution could be started
    # Publishing is one policy for the build and for MLOps engineers, who stop executions. With --local nobody asks for
    # the role.
    "build": {*BUILD, LARGE, "iam:GetRole", "sagemaker:StopPipelineExecution"},
    "deploy": {
        *BUILD,
        *SCALING,
        LARGE,
        "s3:DeleteObject",  # with the three below, of `batch`: people's, with whom the build shares the policy
        "sagemaker:CreateTransformJob",
        "sagemaker:DescribeTransformJob",
        "sagemaker:StopTransformJob",
        "sagemaker:DeleteTags",  # of an endpoint whose version has no commit, after one that has
        "sagemaker:DescribePipelineExecution",  # with four eyes: who started it
        "sagemaker:StopProcessingJob",  # Ctrl-C, while the reserve is scored
    },
    "data-engineer": {LARGE},
    "data-scientist": set(),
    "approver": set(),
    "mlops-engineer": {
        LARGE,
        *SCALING,
        "iam:GetRole",
        "sagemaker:DeleteTags",
        "sagemaker:StopTransformJob",  # Ctrl-C
        "sagemaker:StopProcessingJob",
    },
}


def role(kind: str) -> Principal:
    return roles(ACCOUNT)[f"house-prices-dev-{kind}"].principal


def decided(kind: str, action: str, resource: str, **context: str) -> Decision:
    values = {key.replace("__", ":"): (value,) for key, value in context.items()}
    return decide(Access(action, resource, values), role(kind))


@pytest.mark.parametrize(
    "account",
    [ACCOUNT, replace(ACCOUNT, kms_key=None, in_vpc=False), replace(ACCOUNT, project="flats")],
    ids=["secured", "plain", "another project"],
)
def test_nothing_that_was_recorded_is_denied(account: Account) -> None:
    assert [(lack.role.name, lack.access) for lack in lacks_of_roles(account, roles(account))] == []


def test_every_role_was_recorded() -> None:
    kinds = {name.removeprefix("house-prices-dev-") for name in roles(ACCOUNT)}
    assert {call.role for call in calls(ACCOUNT)} == kinds == set(UNUSED)


@pytest.mark.parametrize("kind", sorted(UNUSED))
def test_nothing_is_allowed_that_was_never_needed_but_for_the_exceptions(kind: str) -> None:
    anyone = ENCRYPTED | LOGS | (READING | TRIALS if kind in (*PEOPLE, "build") else set())
    if kind == "mlops-engineer":  # they share Publishing and Deploying with the builds, which use all of them
        anyone |= {call.access.action for call in calls(ACCOUNT) if call.role in ("build", "deploy")}
    assert unused(ACCOUNT, roles(ACCOUNT))[kind] - anyone == UNUSED[kind]


def test_every_part_of_what_everyone_may_read_is_used_by_somebody() -> None:
    recorded = {call.access.action for call in calls(ACCOUNT) if call.role in PEOPLE}
    assert recorded >= READING


@pytest.mark.parametrize("kind", sorted(UNUSED))
def test_only_the_approver_approves(kind: str) -> None:
    approves = decided(kind, "sagemaker:UpdateModelPackage", PACKAGE, sagemaker__ModelApprovalStatus="Approved")
    assert (approves is Decision.ALLOWED) is (kind == "approver")
    rejects = decided(kind, "sagemaker:UpdateModelPackage", PACKAGE, sagemaker__ModelApprovalStatus="Rejected")
    assert (rejects is Decision.ALLOWED) is (kind == "approver")


@pytest.mark.parametrize("kind", sorted(UNUSED))
@pytest.mark.parametrize("status", ["", "Approved"])
def test_nobody_rewrites_what_made_a_version_and_the_approver_not_who_decided(kind: str, status: str) -> None:
    approval = {"sagemaker__ModelApprovalStatus": status} if status else {}

    def may(key: str) -> bool:
        return decided(kind, "sagemaker:UpdateModelPackage", PACKAGE, **approval, **{key: "x"}) is Decision.ALLOWED

    assert not may("sagemaker__CustomerMetadataProperties/pipeline_execution_arn")
    assert not may("sagemaker__CustomerMetadataPropertiesToRemove")
    deploys = kind in ("deploy", "mlops-engineer") and not status
    assert may("sagemaker__CustomerMetadataProperties/decided_by") is deploys
    assert may("sagemaker__CustomerMetadataProperties/changed_by") is deploys


@pytest.mark.parametrize("kind", sorted(UNUSED))
def test_no_step_registers_what_is_approved_already(kind: str) -> None:
    group = "arn:aws:sagemaker:eu-west-1:111122223333:model-package-group/house-prices"
    for status, allowed in (("Approved", False), ("PendingManualApproval", True), ("Rejected", True)):
        registers = decided(kind, "sagemaker:CreateModelPackage", group, sagemaker__ModelApprovalStatus=status)
        assert (registers is Decision.ALLOWED) is (kind == "execution" and allowed)


@pytest.mark.parametrize(
    ("action", "resource", "who"),
    [
        (
            "StartPipelineExecution",
            "pipeline/house-prices-training",
            {"build", "data-scientist", "mlops-engineer", "act"},
        ),
        (
            "StartPipelineExecution",
            "pipeline/house-prices-monitoring",
            {"build", "data-scientist", "mlops-engineer", "scheduler"},
        ),
        ("DescribeEndpoint", "endpoint/house-prices-production", {"deploy", "mlops-engineer", "collect"}),
        ("StartPipelineExecution", "pipeline/house-prices-validation", STARTERS),
        ("UpdatePipeline", "pipeline/house-prices-training", {"build", "mlops-engineer"}),
        ("CreateEndpoint", "endpoint/house-prices-staging", {"deploy", "mlops-engineer"}),
        ("DeleteEndpoint", "endpoint/house-prices-staging", {"deploy", "mlops-engineer", "removal"}),
        ("DeleteEndpoint", "endpoint/other-staging", set()),
        ("DescribeModelPackage", "model-package/house-prices/1", {"build", "deploy", "execution", "collect", *PEOPLE}),
        ("CreateTrainingJob", "training-job/pipelines-1", {"execution"}),
        ("CreateTrainingJob", "training-job/mine", set()),
        ("CreateProcessingJob", "processing-job/house-prices-reserve-v3-1", {"deploy", "mlops-engineer"}),
        ("CreateProcessingJob", "processing-job/house-prices-batch-v3-1", {"deploy", "mlops-engineer"}),
        ("CreateProcessingJob", "processing-job/pipelines-1", {"execution"}),
        ("CreateProcessingJob", "processing-job/house-prices-mine", set()),
    ],
)
def test_who_may_do_what(action: str, resource: str, who: set[str]) -> None:
    arn = f"arn:aws:sagemaker:eu-west-1:111122223333:{resource}"
    assert {kind for kind in UNUSED if decided(kind, f"sagemaker:{action}", arn) is Decision.ALLOWED} == who


def test_the_serving_role_reads_models_and_no_more() -> None:
    models, data = "arn:aws:s3:::houses/house-prices/models/a", "arn:aws:s3:::houses/house-prices/data/a"
    assert decided("serving", "s3:GetObject", models) is Decision.ALLOWED
    assert decided("serving", "s3:GetObject", data) is Decision.IMPLICIT_DENY
    assert decided("serving", "s3:PutObject", models) is Decision.IMPLICIT_DENY
    actions = {call.access.action for call in calls(ACCOUNT) if call.role == "serving"}
    assert {action for action in actions if action.startswith("s3:")} == {"s3:GetObject", "s3:ListBucket"}


def test_only_who_deploys_gives_scheduler_the_role_that_only_deletes_endpoints() -> None:
    arn, to = (
        "arn:aws:iam::111122223333:role/house-prices-dev-removal",
        {"iam__PassedToService": "scheduler.amazonaws.com"},
    )
    passing = {each for each in UNUSED if decided(each, "iam:PassRole", arn, **to) is Decision.ALLOWED}
    assert passing == {"deploy", "mlops-engineer"}
    other = "arn:aws:iam::111122223333:role/house-prices-dev-execution"
    assert not any(decided(each, "iam:PassRole", other, **to) is Decision.ALLOWED for each in UNUSED)
    (role,) = [each for name, each in roles(ACCOUNT).items() if name.endswith("-removal")]
    actions = [statement["Action"] for policy in role.principal.policies for statement in policy["Statement"]]
    assert actions == ["sagemaker:DeleteEndpoint"]


@pytest.mark.e2e
def test_no_role_passes_another_than_its_own() -> None:
    def passed_by(kind: str) -> set[str]:
        arns = {each: f"arn:aws:iam::111122223333:role/house-prices-dev-{each}" for each in UNUSED}
        to = {"iam__PassedToService": "sagemaker.amazonaws.com"}
        return {each for each, arn in arns.items() if decided(kind, "iam:PassRole", arn, **to) is Decision.ALLOWED}

    passes = {kind: passed_by(kind) for kind in UNUSED}
    assert {kind: passed for kind, passed in passes.items() if passed} == {
        "execution": {"execution"},
        "build": {"execution"},
        "deploy": {"execution", "serving"},  # the first to the job that scores a reserve, and to nothing else
        "mlops-engineer": {"execution", "serving"},
    }


def test_the_functions_write_only_where_windows_are_kept_and_only_their_own_metrics() -> None:
    for kind in ("collect", "act"):
        window, model = (
            "arn:aws:s3:::houses/house-prices/monitoring/windows/a",
            "arn:aws:s3:::houses/house-prices/models/a",
        )
        assert decided(kind, "s3:PutObject", window) is Decision.ALLOWED
        assert decided(kind, "s3:PutObject", model) is Decision.IMPLICIT_DENY
    own, other = "house-prices/monitoring", "AWS/SageMaker"
    for namespace, decision in ((own, Decision.ALLOWED), (other, Decision.IMPLICIT_DENY)):
        assert decided("act", "cloudwatch:PutMetricData", "*", cloudwatch__namespace=namespace) is decision


DOMAIN = "d-abc"
PROFILE = f"arn:aws:sagemaker:eu-west-1:111122223333:user-profile/{DOMAIN}"


@pytest.mark.parametrize("kind", PEOPLE)
def test_in_studio_everyone_opens_the_own_profile_and_works_in_own_private_spaces(kind: str) -> None:
    known = roles(ACCOUNT)[f"house-prices-dev-{kind}"]
    more = attached(ACCOUNT, {"Domain": DOMAIN})
    person = with_policies(known, more[known.name]).principal

    def may(action: str, resource: str, **context: str) -> bool:
        values = {f"sagemaker:{key}": (value,) for key, value in context.items()}
        access = Access(f"sagemaker:{action}", resource, values)
        assert decide(access, known.principal) is Decision.IMPLICIT_DENY  # without Studio
        return decide(access, person) is Decision.ALLOWED

    opened = {each for each in PEOPLE if may("CreatePresignedDomainUrl", f"{PROFILE}/{each}")}
    assert opened == {kind}
    app = f"arn:aws:sagemaker:eu-west-1:111122223333:app/{DOMAIN}/mine/JupyterLab/default"
    mine = {"OwnerUserProfileArn": f"{PROFILE}/{kind}", "UserProfileName": kind, "SpaceSharingType": "Private"}
    assert may("CreateApp", app, **mine)
    assert not may("CreateApp", app, **{**mine, "OwnerUserProfileArn": f"{PROFILE}/somebody"})
    assert not may("CreateApp", app, **{**mine, "SpaceSharingType": "Shared"})
    assert not may("CreateApp", app.replace(DOMAIN, "d-other"), **mine)
    assert may("ListPipelines", "*")


def test_studio_gives_nobody_anything_of_the_project() -> None:
    approves = Access("sagemaker:UpdateModelPackage", PACKAGE, {"sagemaker:ModelApprovalStatus": ("Approved",)})
    policies = attached(ACCOUNT, {"Domain": DOMAIN})
    assert set(policies) == {f"house-prices-dev-{kind}" for kind in PEOPLE}
    for documents in policies.values():
        actions = {action for each in documents for entry in statements(each) for action in listed(entry["Action"])}
        assert {action for action in actions if not action.startswith(("sagemaker:List", "sagemaker:Describe"))} == {
            "sagemaker:AddTags",
            "sagemaker:Search",
            "sagemaker:CreatePresignedDomainUrl",
            *(f"sagemaker:{verb}App" for verb in ("Create", "Delete")),
            *(f"sagemaker:{verb}Space" for verb in ("Create", "Delete", "Update")),
        }
        person = Principal("arn:aws:iam::111122223333:role/x", tuple(documents))
        assert decide(approves, person) is Decision.IMPLICIT_DENY


def listed(value: str | list[str]) -> list[str]:
    return value if isinstance(value, list) else [value]


def test_with_a_query_the_jobs_ask_their_work_group_and_read_the_tables_of_their_database_and_no_other() -> None:
    query = {
        "QueryDatabase": "houses",
        "QueryCatalog": "AwsDataCatalog",
        "QueryWorkGroup": "primary",
        "QueryFiles": "arn:aws:s3:::lake/houses/*,arn:aws:s3:::other/zips/*",
        "QueryBuckets": "arn:aws:s3:::lake,arn:aws:s3:::other",
        "QueryPrefixes": "houses*,zips*",
    }
    glue, athena = "arn:aws:glue:eu-west-1:111122223333", "arn:aws:athena:eu-west-1:111122223333"

    def allowed(action: str, resource: str, account: Account, **context: str) -> bool:
        jobs = roles(account)["house-prices-dev-execution"].principal
        values = {key.replace("__", ":"): (value,) for key, value in context.items()}
        return decide(Access(action, resource, values), jobs) is Decision.ALLOWED

    asking = replace(ACCOUNT, query=query)
    for action, resource in (
        ("athena:StartQueryExecution", f"{athena}:workgroup/primary"),
        ("glue:GetPartitions", f"{glue}:table/houses/sales"),
        ("glue:CreateTable", f"{glue}:table/sagemaker_processing/sagemaker_tmp_1"),
        ("s3:GetObject", "arn:aws:s3:::lake/houses/year=2014/part-0.parquet"),
        ("s3:GetBucketLocation", "arn:aws:s3:::other"),
    ):
        assert allowed(action, resource, asking), action
        assert not allowed(action, resource, ACCOUNT), action
    for action, resource in (
        ("athena:StartQueryExecution", f"{athena}:workgroup/others"),
        ("glue:GetTable", f"{glue}:table/secret/people"),
        ("glue:DeleteTable", f"{glue}:table/houses/sales"),
        ("s3:GetObject", "arn:aws:s3:::lake/secret/people.parquet"),
        ("s3:PutObject", "arn:aws:s3:::lake/houses/part-0.parquet"),
    ):
        assert not allowed(action, resource, asking), action
    assert allowed("s3:ListBucket", "arn:aws:s3:::lake", asking, s3__prefix="houses/sales/")
    assert not allowed("s3:ListBucket", "arn:aws:s3:::lake", asking, s3__prefix="secret/")
    assert roles(asking).keys() == roles(ACCOUNT).keys()
    without_files = replace(ACCOUNT, query={**query, "QueryFiles": "", "QueryBuckets": "", "QueryPrefixes": ""})
    assert allowed("athena:StartQueryExecution", f"{athena}:workgroup/primary", without_files)
    assert not allowed("s3:GetBucketLocation", "arn:aws:s3:::other", without_files)
