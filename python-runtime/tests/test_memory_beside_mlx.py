"""The engine's own memory with a vocabulary of real size. The aim is 150 MiB."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from .big_vocabulary import make_big_model
from .measure_memory import measure, resident_bytes
from .running_engine import RunningEngine


@pytest.mark.skipif(sys.platform != "linux", reason="RSS without PSS counts shared libraries")
def test_stays_within_the_aim(tmp_path: Path) -> None:
    measured = measure(make_big_model(tmp_path / "big-vocabulary"))
    print(measured)
    assert 40 < measured["beside_mlx_mib"] < 150


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_forms_cost_nothing_until_they_are_asked_for(tmp_path: Path) -> None:
    with RunningEngine(make_big_model(tmp_path / "big-vocabulary")) as engine:
        engine.client.chat("hi", max_tokens=2)
        maps = Path(f"/proc/{engine.process.pid}/maps")
        assert "llguidance" not in maps.read_text()
        before = resident_bytes(engine.process.pid)
        engine.client.chat("hi", max_tokens=2, response_format={"type": "json_object"})
        assert "llguidance" in maps.read_text()
        # The tables of 200k tokens; what making them took is given back.
        assert resident_bytes(engine.process.pid) - before < 100 * 2**20
        engine.stop()
