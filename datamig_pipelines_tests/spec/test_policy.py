"""Rejects, schedules, alerts."""

import pytest
from pydantic import ValidationError

from datamig_pipelines.spec import Alert, Rejects, Schedule
from datamig_pipelines.spec.policy import Approval, Rehearsal


@pytest.mark.parametrize(
    ("limit", "rejected", "read", "expected"),
    [
        ("10%", 10, 100, False),
        ("10%", 11, 100, True),
        ("0%", 0, 100, False),
        ("0%", 1, 100, True),
        ("0", 1, 100, True),
        ("25", 25, 1, False),
        (25, 26, 1000, True),
        ("0.5%", 1, 200, False),
        ("0.5%", 2, 200, True),
    ],
)
def test_rejects_are_exceeded(limit, rejected, read, expected):
    """The limit itself is allowed, one more is not; it is a number of rows or a share of them."""
    assert Rejects(abort_above=limit).exceeded(rejected, read) is expected


@pytest.mark.parametrize("limit", ["ten", "-1", "10 %", "%", ""])
def test_limit_that_is_no_number_is_refused(limit):
    """Anything but rows or a percentage is refused."""
    with pytest.raises(ValidationError):
        Rejects(abort_above=limit)


@pytest.mark.parametrize("cron", ["0 2 * *", "0 2 * * 6 7", ""])
def test_cron_without_five_fields_is_refused(cron):
    """A schedule that no cron understands is refused when the file is read."""
    with pytest.raises(ValidationError, match="fields, it needs 5"):
        Schedule(cron=cron)


@pytest.mark.parametrize("zone", ["Mars/X", "", "../etc/passwd", "/etc/passwd"])
def test_unknown_time_zone_is_refused(zone):
    """A time zone that the system does not know is refused when the file is read."""
    with pytest.raises(ValidationError, match="no time zone"):
        Schedule(cron="0 2 * * *", timezone=zone)


def test_alert_takes_the_key_that_yaml_reads_as_true():
    """``{on: …}`` arrives as ``{True: …}`` from YAML 1.1."""
    assert Alert.model_validate({"env": "X", True: ["failure"]}).on == ("failure",)


@pytest.mark.parametrize("rule", [Approval, Rehearsal])
@pytest.mark.parametrize("hours", [0, float("inf"), 1e12])
def test_rule_lasts_for_hours_that_a_calendar_has(rule, hours):
    """No time at all, and a time that ends after the last day there is, are refused."""
    with pytest.raises(ValidationError, match="valid_hours"):
        rule(valid_hours=hours)
