"""The runner of buildspecs does what CodeBuild documents."""

from pathlib import Path

import pytest
import yaml

from tests.end_to_end.codebuild import Build, run_build


def build(folder: Path, variables: dict[str, str] | None = None, env: object = None, **phases: object) -> Build:
    spec = folder / "buildspec.yml"
    spec.write_text(yaml.safe_dump({"version": 0.2, "env": env or {}, "phases": phases}))
    return run_build(spec, folder, variables or {}, folder)


def test_commands_share_their_variables_across_phases(tmp_path: Path) -> None:
    env = {"variables": {"GIVEN": "spec", "OWN": "spec"}, "exported-variables": ["MADE", "EMPTY"]}
    done = build(
        tmp_path,
        {"GIVEN": "project"},
        env,
        install={"commands": ['export MADE="a b"', "export EMPTY="]},
        build={"commands": ["echo $GIVEN $OWN $MADE"]},
    )
    assert done.last_line == "project spec a b"
    assert done.exported == {"MADE": "a b", "EMPTY": ""}


def test_a_command_that_fails_ends_its_phase_and_finally_still_runs(tmp_path: Path) -> None:
    done = build(
        tmp_path,
        pre_build={"commands": ["echo one", "false", "echo two"], "finally": ["echo last"]},
        build={"commands": ["echo built"]},
        post_build={"commands": ["echo after"]},
    )
    assert done.log.split() == ["one", "last"]
    assert done.phases == {"pre_build": False}
    assert not done.succeeded


@pytest.mark.parametrize(
    ("policy", "log"),
    [(None, ["after"]), ("ABORT", []), ("CONTINUE", ["after"])],
)
def test_after_a_failed_build_post_build_runs_unless_it_aborts(
    tmp_path: Path, policy: str | None, log: list[str]
) -> None:
    phase = {"commands": ["false"], **({"on-failure": policy} if policy else {})}
    done = build(tmp_path, build=phase, post_build={"commands": ["echo after"]})
    assert (done.log.split(), done.phases["build"]) == (log, False)


def test_a_failed_phase_that_continues_lets_the_next_one_run_and_fails_the_build(tmp_path: Path) -> None:
    done = build(
        tmp_path, install={"commands": ["false"], "on-failure": "CONTINUE"}, build={"commands": ["echo built"]}
    )
    assert (done.last_line, done.succeeded) == ("built", False)


def test_the_shell_is_sh_unless_the_buildspec_names_another(tmp_path: Path) -> None:
    command = {"commands": ['if [ -n "$BASH_VERSION" ] && [ -z "$POSIXLY_CORRECT" ]; then echo bash; fi; echo end']}
    assert build(tmp_path, env={"shell": "bash"}, build=command).log.split() == ["bash", "end"]
    assert build(tmp_path, build={"commands": ["echo $0"]}).last_line == "sh"


def test_what_codebuild_would_not_take_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"not a buildspec of version 0\.2: biuld"):
        build(tmp_path, biuld={"commands": ["true"]})
