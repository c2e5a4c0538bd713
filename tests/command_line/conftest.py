"""The fixtures of the pipelines, which the commands are tried on."""

from tests.pipelines.conftest import aws as aws
from tests.pipelines.conftest import executions as executions
from tests.pipelines.conftest import output as output
