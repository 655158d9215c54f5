"""A terminal or a pipe that cannot say a letter gets an escape, and no traceback."""

import json
import os
import subprocess

import pytest

from datamig_pipelines_tests.cli.conftest import DATAMIG


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
@pytest.mark.parametrize("as_json", [(), ("--json",)])
def test_output_in_a_poor_encoding_is_escaped(tmp_path, encoding, as_json):
    """The name of a folder may hold anything; JSON stays JSON."""
    path = tmp_path / "ü☃" / "defs.yaml"
    path.parent.mkdir()
    path.write_text("type: datamig_pipelines.Migration\nattributes: {}\n")
    done = subprocess.run(
        [*DATAMIG, "plan", str(path), *as_json],
        env={**os.environ, "PYTHONIOENCODING": encoding},
        capture_output=True,
        check=False,
    )

    assert (done.returncode, b"Traceback" in done.stderr) == (4, False)
    assert "\\u2603" in done.stderr.decode(encoding)
    if as_json:
        assert json.loads(done.stdout.decode(encoding))["exit_code"] == 4
