"""The engine's own memory with a vocabulary of real size. The aim is 150 MiB."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from .big_vocabulary import make_big_model
from .measure_memory import measure


@pytest.mark.skipif(sys.platform != "linux", reason="RSS without PSS counts shared libraries")
def test_stays_within_the_aim(tmp_path: Path) -> None:
    measured = measure(make_big_model(tmp_path / "big-vocabulary"))
    print(measured)
    assert 40 < measured["beside_mlx_mib"] < 150
