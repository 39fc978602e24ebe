"""The samples in `deploy/` are what they claim to be, as far as this machine can tell."""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
import yaml
from flask.testing import FlaskClient
from redis import Redis

from rewards_service.integrations.models import EventPoll
from rewards_service.settings import Settings
from tests.builders.chargebee import paid
from tests.builders.world import World
from tests.operations.fleet import ROOT
from tests.peers import certificate

DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
BIN = Path(sys.executable).parent
ALERTS = DEPLOY / "prometheus/rewards-alerts.yml"
NAME = re.compile(r"\brewards_[a-z_]+")
SETTINGS = {field.name.upper() for field in fields(Settings)}
OTHERS = {"PROMETHEUS_MULTIPROC_DIR", "PATH", "PYTHONUNBUFFERED"}
HARDENED = (
    "NoNewPrivileges=yes", "ProtectSystem=strict", "ProtectHome=yes", "PrivateTmp=yes",
    "PrivateDevices=yes", "CapabilityBoundingSet=", "RestrictNamespaces=yes",
    "SystemCallFilter=@system-service", "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
)  # fmt: skip


def run(*words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(list(words), cwd=cwd, capture_output=True, text=True, check=False)


def tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"There is no {name} on this machine.")
    return found


def expressions() -> dict[str, str]:
    """Alert or panel -> what it asks Prometheus."""
    rules = yaml.safe_load(ALERTS.read_text())["groups"][0]["rules"]
    board = json.loads((DEPLOY / "grafana/rewards.json").read_text())
    panels = {
        f"{panel['title']} {target['refId']}": target["expr"]
        for panel in board["panels"]
        for target in panel["targets"]
    }
    return {rule["alert"]: rule["expr"] for rule in rules} | panels


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
class TestMetrics:
    def test_alarms_and_panels_ask_for_what_is_there_and_the_page_names_all(
        self, client: FlaskClient, world: World, redis_connection: Redis
    ) -> None:
        redis_connection.ping()
        world.accept(paid("1", "cb1", "eve@buyer.example"))
        world.add(EventPoll(integration_id=world.site.id))
        kinds = dict(re.findall(r"^# TYPE (\w+) (\w+)$", client.get("/metrics").text, re.M))
        there = {name for name in kinds if name.startswith("rewards_")}
        there |= {f"{name}_{part}" for name, kind in kinds.items() if kind == "histogram"
                  for part in ("bucket", "count", "sum")}  # fmt: skip
        missing = {
            place: names
            for place, text in expressions().items()
            if (names := set(NAME.findall(text)) - there)
        }
        page = (ROOT / "docs/operations.md").read_text()
        own = {name for name in kinds if NAME.match(name) and not name.endswith("_created")}

        assert missing == {}
        assert {name for name in own if not re.search(rf"`{name}\b", page)} == set()


class TestPrometheus:
    def test_every_rule_has_what_a_rule_needs(self) -> None:
        rules = yaml.safe_load(ALERTS.read_text())["groups"][0]["rules"]
        wrong = [
            rule for rule in rules
            if rule.keys() - {"for"} != {"alert", "expr", "labels", "annotations"}
            or rule["labels"].get("severity") not in ("page", "ticket")
            or rule["expr"].count("(") != rule["expr"].count(")")
            or not re.fullmatch(r"\d+[mhd]", rule.get("for", "1m"))
        ]  # fmt: skip

        assert wrong == []
        assert len({rule["alert"] for rule in rules}) == len(rules)

    def test_promtool_accepts_rules_and_configuration(self) -> None:
        promtool = tool("promtool")
        config = run(promtool, "check", "config", "prometheus.yml", cwd=ALERTS.parent)

        assert config.returncode == 0, config.stdout + config.stderr

    def test_they_fire_when_they_should_and_not_before(self, tmp_path: Path) -> None:
        promtool = tool("promtool")
        for file in (ALERTS, Path(__file__).with_name("alerts_fire.yml")):
            shutil.copy(file, tmp_path)
        found = run(promtool, "test", "rules", "alerts_fire.yml", cwd=tmp_path)

        assert found.returncode == 0, found.stdout + found.stderr


class TestBoard:
    def test_panels_are_whole_and_do_not_overlap(self) -> None:
        board = json.loads((DEPLOY / "grafana/rewards.json").read_text())
        places = [tuple(panel["gridPos"][side] for side in "xy") for panel in board["panels"]]

        assert len(set(places)) == len(places)
        assert all(panel["targets"] and panel["title"] for panel in board["panels"])
        assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in board["panels"])


class TestUnits:
    @pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
    def test_they_are_hardened(self, path: Path) -> None:
        lines = set(path.read_text().splitlines())

        assert set(HARDENED) - lines == set()
        assert "User=rewards" in lines

    def test_systemd_finds_no_fault_in_them(self, tmp_path: Path) -> None:
        """With programs where they are on this machine."""
        systemd = tool("systemd-analyze")
        for path in (DEPLOY / "systemd").iterdir():
            text = path.read_text().replace("/opt/rewards/.venv/bin", str(BIN))
            (tmp_path / path.name.replace("@.", "@1.")).write_text(text)
        units = [str(path) for path in sorted(tmp_path.iterdir())]
        found = run(systemd, "verify", "--man=no", "--recursive-errors=no", *units)

        assert found.returncode == 0, found.stderr
        assert found.stderr == ""

    def test_they_start_what_the_procfile_starts(self) -> None:
        commands = [
            line.partition(": ")[2] for line in (ROOT / "Procfile").read_text().splitlines()
        ]
        wanted = {
            command.replace("wsgi:app", "rewards_service.cli.web:app") for command in commands
        }
        started = {
            found[1]
            for path in UNITS
            if (
                found := re.search(
                    r"^ExecStart=/opt/rewards/.venv/bin/(.*)$", path.read_text(), re.M
                )
            )
        }

        assert started - {"rewards check --json"} == wanted


class TestEnvironment:
    def test_the_example_gives_a_service_that_starts(self) -> None:
        lines = (DEPLOY / "environment.example").read_text().splitlines()
        named = {line.partition("=")[0] for line in lines if re.match(r"[A-Z_]+=", line)}

        assert named <= SETTINGS
        assert {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "ENCRYPTION_KEYS"} <= named


class TestNginx:
    def test_nginx_accepts_the_sample(self, tmp_path: Path) -> None:
        nginx = tool("nginx")
        certificate.make(tmp_path)
        text = (DEPLOY / "nginx/rewards.conf").read_text()
        text = text.replace("/etc/ssl/certs/rewards.pem", str(tmp_path / "certificate.pem"))
        text = text.replace("/etc/ssl/private/rewards.key", str(tmp_path / "key.pem"))
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        places = "".join(f"{kind}_temp_path {tmp_path}/{kind};\n" for kind in kinds)
        whole = f"pid {tmp_path}/pid;\nevents {{}}\nhttp {{\naccess_log off;\n{places}{text}\n}}\n"
        (tmp_path / "nginx.conf").write_text(whole)
        found = run(nginx, "-t", "-e", str(tmp_path / "log"), "-c", str(tmp_path / "nginx.conf"))

        assert found.returncode == 0, found.stderr
