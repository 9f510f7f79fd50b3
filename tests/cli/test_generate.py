"""`photon generate deployment`: its files, looked at by the programs they are for."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from click.testing import CliRunner, Result

from photon.cli.deployment.files import KINDS
from photon.cli.exits import ExitCode
from photon.cli.main import cli
from photon.cli.run import run
from tests.deploy_tools import tool

APP = """
from photon import Photon, TaskSettings
app = Photon(task_settings=TaskSettings(drain_s=20, cancel_s=2))
plain = Photon()
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project, which is the current folder."""
    project = tmp_path / "shop"
    project.mkdir()
    (project / "generated_for.py").write_text(APP)
    monkeypatch.chdir(project)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "generated_for", raising=False)
    for name in ("PORT", "PHOTON_APP", "PHOTON_PORT", "PHOTON_WORKERS"):
        monkeypatch.delenv(name, raising=False)
    return project


def generate(kind: str, *arguments: str) -> Result:
    command = ["generate", "deployment", kind, "generated_for:app", "--name", "shop"]
    return CliRunner().invoke(cli, [*command, *arguments])


def generated(kind: str, *arguments: str) -> dict[str, str]:
    """The files by their names."""
    result = generate(kind, *arguments)
    assert result.exit_code == 0, result.output
    return {path.name: path.read_text() for path in Path("deploy").iterdir()}


def command_of(text: str) -> list[str]:
    """What a file has systemd, Docker or Kubernetes run, from `run` on."""
    words = text.split("photon run ")[1].splitlines()[0]
    return shlex.split(words)


def assert_photon_takes(words: list[str]) -> click.Context:
    """`photon run` knows all of it, and what it is worth."""
    context = run.make_context("run", list(words), resilient_parsing=False)
    assert context.params["app"] == "generated_for:app"
    return context


# Writing...


@pytest.mark.parametrize("kind", KINDS)
def test_it_writes_and_says_what_is_next(folder: Path, kind: str) -> None:
    result = generate(kind)
    assert result.exit_code == 0
    written = sorted(path.name for path in Path("deploy").iterdir())
    for name in written:
        assert f"deploy/{name} is written" in result.output
        text = (Path("deploy") / name).read_text()
        assert text.endswith("\n")
        assert "\n\n\n" not in text
        assert "{{" not in text
        assert "#" in text, "says what it is"
        assert max(map(len, text.splitlines())) <= 160
    assert "Look through" in result.output


def test_it_writes_over_nothing_unless_it_is_told_to(folder: Path) -> None:
    generated("nginx")
    (folder / "deploy/shop.nginx.conf").write_text("mine")
    result = generate("nginx")
    assert result.exit_code == ExitCode.FAILURE
    assert "deploy/shop.nginx.conf is there already" in result.output
    assert "--force" in result.output
    assert (folder / "deploy/shop.nginx.conf").read_text() == "mine"
    assert "upstream" in generated("nginx", "--force")["shop.nginx.conf"]
    assert [path.name for path in (folder / "deploy").iterdir()] == ["shop.nginx.conf"]


def test_of_several_files_all_are_written_or_none(folder: Path) -> None:
    (folder / "deploy").mkdir()
    (folder / "deploy/compose.yaml").write_text("mine")
    assert generate("docker").exit_code == ExitCode.FAILURE
    assert [path.name for path in (folder / "deploy").iterdir()] == ["compose.yaml"]


def test_printing_writes_nothing(folder: Path) -> None:
    result = generate("docker", "--print")
    assert "# ---- Dockerfile\n" in result.output
    assert "# ---- compose.yaml\n" in result.output
    assert generate("nginx", "--print").output.startswith("# /etc/nginx")
    assert not (folder / "deploy").exists()


def test_a_folder_that_cannot_be_made(folder: Path) -> None:
    (folder / "deploy").write_text("a file")
    result = generate("nginx")
    assert result.exit_code == ExitCode.FAILURE
    assert "cannot be written" in result.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--uds", "/run/x", "--host", "h"], "there can be one of them only"),
        (["--uds", "run/x"], "has to be absolute"),
        (["--name", "Shop"], "up to 32 characters"),
        (["--host", "a b"], "can stand in all of the files"),
        (["--workers", "some"], "a number from 1 to 1024, or auto"),
        (["--port", "8081"], "health needs a port of its own"),
        (["--app-dir", "no"], "does not exist"),
    ],
)
def test_what_does_not_fit(folder: Path, arguments: list[str], message: str) -> None:
    result = generate("systemd", *arguments)
    assert result.exit_code == ExitCode.USAGE
    assert message in " ".join(result.output.split())
    assert not (folder / "deploy").exists()


def test_containers_have_a_port(folder: Path) -> None:
    result = generate("docker", "--uds", "/run/x")
    assert result.exit_code == ExitCode.USAGE
    assert "containers are reached by a port" in result.output


def test_the_application_has_to_be_there(folder: Path) -> None:
    result = CliRunner().invoke(cli, ["generate", "deployment", "nginx", "nowhere:app"])
    assert result.exit_code == ExitCode.NOT_LOADED
    result = CliRunner().invoke(cli, ["generate", "deployment", "nginx"])
    assert result.exit_code == ExitCode.USAGE
    assert "There" in result.output or "generated_for:app" in result.output


def test_settings_of_the_environment_count(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHOTON_LIMIT_BODY_BYTES", "1MiB")
    assert "client_max_body_size 1m;" in generated("nginx")["shop.nginx.conf"]


def test_settings_of_the_file_count(folder: Path) -> None:
    (folder / "photon.toml").write_text(
        'app = "generated_for:plain"\nhost = "127.0.0.1"\nworkers = 3\nhealth-port = "9001"\n'
        '[limit]\nbody = "1MiB"\n[timeout]\ndrain = "7s"\n'
    )
    result = CliRunner().invoke(cli, ["generate", "deployment", "systemd", "--print"])
    assert "--host 127.0.0.1 --port 8000 --workers 3 --health-port 9001" in result.output
    assert "TimeoutStopSec=30\n" in result.output  # 7 + 5 + 10 + 3 + 5
    result = CliRunner().invoke(cli, ["generate", "deployment", "docker", "--print"])
    assert '"--host", "0.0.0.0"' in result.output
    result = CliRunner().invoke(cli, ["generate", "deployment", "nginx", "--print"])
    assert "client_max_body_size 1m;" in result.output


# systemd...


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--socket-activation"],
        ["--host", "0.0.0.0", "--port", "80", "--workers", "4"],
        ["--host", "127.0.0.1", "--socket-activation", "--timeout-drain", "1m"],
        ["--host", "0.0.0.0", "--socket-activation"],
    ],
)
def test_systemd_takes_its_units(folder: Path, arguments: list[str]) -> None:
    analyze = tool("systemd-analyze")
    program = folder / ".venv/bin/photon"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    files = generated("systemd", "--folder", str(folder), *arguments)
    units = [f"deploy/{name}" for name in files if not name.endswith(".env")]
    assert len(units) == 1 + ("--socket-activation" in arguments)
    done = subprocess.run(
        [analyze, "verify", "--man=no", *units],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    # What it says of the machine's own units is none of ours.
    ours = [line for line in done.stderr.splitlines() if "shop" in line]
    assert ours == []
    context = assert_photon_takes(command_of(files["shop.service"]))
    assert context.params["workers"]


def test_systemd_waits_as_long_as_photon_does(folder: Path) -> None:
    service = generated("systemd", "--timeout-drain", "1m")["shop.service"]
    assert "\nTimeoutStopSec=92\n" in service  # 60 + 5 + 20 + 2 + 5
    assert "--timeout-drain 60s" in service
    for line in ("KillMode=mixed", "ExecReload=/bin/kill -HUP $MAINPID", "LimitNOFILE=65536"):
        assert f"\n{line}\n" in service


def test_a_socket_of_systemd_is_descriptor_3(folder: Path) -> None:
    files = generated("systemd", "--socket-activation")
    assert assert_photon_takes(command_of(files["shop.service"])).params["fd"] == 3
    assert "Requires=shop.socket" in files["shop.service"]
    assert "ListenStream=/run/shop/shop.sock" in files["shop.socket"]
    assert "Accept=no" in files["shop.socket"]


# nginx...


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--host", "127.0.0.1", "--port", "9000"],
        ["--host", "0.0.0.0"],
        ["--limit-body-bytes", "1000", "--timeout-idle", "1s", "--timeout-handler", "5m"],
    ],
)
def test_nginx_takes_its_file(folder: Path, arguments: list[str]) -> None:
    nginx = tool("nginx")
    text = generated("nginx", *arguments)["shop.nginx.conf"]
    # To test the file it opens what it listens on.
    text = re.sub(r"listen .*;", "listen unix:listens;", text, count=1)
    text = re.sub(r"\n *listen \[::\].*;", "", text)
    (folder / "site.conf").write_text(text)
    (folder / "nginx.conf").write_text(
        "pid nginx.pid; error_log stderr; events {}\n"
        "http { access_log off; client_body_temp_path t1; proxy_temp_path t2;\n"
        "fastcgi_temp_path t3; uwsgi_temp_path t4; scgi_temp_path t5; include site.conf; }\n"
    )
    done = subprocess.run(
        [nginx, "-t", "-p", str(folder), "-c", str(folder / "nginx.conf")],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == 0, done.stderr
    assert "warn" not in done.stderr


def test_nginx_ends_idle_connections_first(folder: Path) -> None:
    assert "keepalive_timeout 60s;" in generated("nginx")["shop.nginx.conf"]
    again = generated("nginx", "--timeout-idle", "10s", "--timeout-handler", "2m", "--force")
    assert "keepalive_timeout 8s;" in again["shop.nginx.conf"]
    assert "proxy_read_timeout 125s;" in again["shop.nginx.conf"]


# Docker...


def test_the_dockerfile(folder: Path) -> None:
    parser = pytest.importorskip("dockerfile_parse", reason="pip install dockerfile-parse")
    text = generated("docker")["Dockerfile"]
    parsed = parser.DockerfileParser(str(folder / "scratch"))
    (folder / "scratch").mkdir()
    parsed.content = text
    assert parsed.is_multistage
    steps = [(step["instruction"], step["value"]) for step in parsed.structure]
    last = {name: value for name, value in steps if name != "COMMENT"}
    assert last["USER"] == "10001:10001"
    assert last["STOPSIGNAL"] == "SIGTERM"
    assert "/ready" in last["HEALTHCHECK"]
    known = {"FROM", "WORKDIR", "ENV", "RUN", "COPY", "USER", "EXPOSE", "STOPSIGNAL"}
    assert {name for name, _ in steps} <= known | {"HEALTHCHECK", "CMD", "COMMENT"}


def test_the_command_of_the_dockerfile(folder: Path) -> None:
    text = generated("docker", "--workers", "2", "--port", "9000")["Dockerfile"]
    (line,) = re.findall(r"^CMD (\[.*\])$", text, re.MULTILINE)
    words = yaml.safe_load(line)  # of which JSON is a part
    assert words[:2] == ["photon", "run"]
    context = assert_photon_takes(words[2:])
    assert (context.params["host"], context.params["port"]) == ("0.0.0.0", 9000)
    assert "PYTHONUNBUFFERED=1" in text
    assert "EXPOSE 9000" in text
    check = re.findall(r"CMD (\[\"python\".*\])", text)
    assert len(check) == 1
    compile(yaml.safe_load(check[0])[2], "HEALTHCHECK", "exec")


def test_compose(folder: Path) -> None:
    files = generated("docker")
    document = yaml.safe_load(files["compose.yaml"])
    (service,) = document["services"].values()
    assert service["stop_grace_period"] == "62s"  # 30 + 5 + 20 + 2 + 5
    context = (folder / "deploy" / service["build"]["context"]).resolve()
    assert context == folder
    assert (context / service["build"]["dockerfile"]).is_file()
    assert ".env\n" in files["Dockerfile.dockerignore"]


# Kubernetes...


def documents(*arguments: str) -> dict[str, dict[str, Any]]:
    text = generated("kubernetes", *arguments)["kubernetes.yaml"]
    return {each["kind"]: each for each in yaml.safe_load_all(text)}


# What the API server would refuse: keys that it does not know, and those that have to be there.
# Source: https://kubernetes.io/docs/reference/kubernetes-api/
_KNOWN = {
    "Deployment": "apps/v1",
    "Service": "v1",
    "PodDisruptionBudget": "policy/v1",
    "HorizontalPodAutoscaler": "autoscaling/v2",
}
_POD = {
    "terminationGracePeriodSeconds",
    "automountServiceAccountToken",
    "securityContext",
    "topologySpreadConstraints",
    "containers",
    "volumes",
}
_CONTAINER = {
    *("name", "image", "args", "env", "ports", "startupProbe", "readinessProbe"),
    *("livenessProbe", "lifecycle", "resources", "securityContext", "volumeMounts"),
}
_PROBE = {"httpGet", "periodSeconds", "timeoutSeconds", "failureThreshold"}


def test_kubernetes(folder: Path) -> None:
    found = documents()
    assert {kind: each["apiVersion"] for kind, each in found.items()} == _KNOWN
    for each in found.values():
        assert set(each) == {"apiVersion", "kind", "metadata", "spec"}
        assert each["metadata"]["name"] == "shop"
    deployment = found["Deployment"]["spec"]
    assert set(deployment) == {"selector", "strategy", "template"}
    labels = deployment["template"]["metadata"]["labels"]
    assert deployment["selector"]["matchLabels"] == labels
    assert found["Service"]["spec"]["selector"] == labels
    assert found["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"] == labels
    target = found["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]
    assert target == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop"}


def test_a_pod(folder: Path) -> None:
    found = documents("--workers", "2")
    pod = found["Deployment"]["spec"]["template"]["spec"]
    assert set(pod) <= _POD
    (container,) = pod["containers"]
    assert set(container) <= _CONTAINER
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert ports == {"http": 8000, "health": 8081}
    for name in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert set(container[name]) <= _PROBE
        assert container[name]["httpGet"]["port"] == "health"
    assert found["Service"]["spec"]["ports"][0]["targetPort"] == "http"
    volumes = {volume["name"] for volume in pod["volumes"]}
    assert {mount["name"] for mount in container["volumeMounts"]} == volumes
    assert container["resources"]["requests"]["cpu"] == "2"
    assert all(isinstance(word, str) for word in container["args"])
    context = assert_photon_takes(container["args"][2:])
    assert context.params["health_port"] == "0.0.0.0:8081"
    assert context.params["workers"] == 2


def test_a_pod_gets_the_time_to_end(folder: Path) -> None:
    pod = documents()["Deployment"]["spec"]["template"]["spec"]
    pause = int(pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"][1])
    assert pod["terminationGracePeriodSeconds"] == pause + 62
