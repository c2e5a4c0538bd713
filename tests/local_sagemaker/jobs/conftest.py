"""The fixtures of jobs and of their processes."""

from tests.local_sagemaker.job_fixtures import bench_fixture as bench_fixture
from tests.local_sagemaker.job_fixtures import make_bench_fixture as make_bench_fixture
from tests.local_sagemaker.job_fixtures import s3_input_fixture as s3_input_fixture
from tests.local_sagemaker.job_fixtures import store_fixture as store_fixture
