"""Alarms judged over an emulator's metrics as CloudWatch documents it, where the emulator does not judge so far: an
expression over several metrics, the dimensions of a metric, one minute after the other, and minutes of which nothing
is told.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html (what is missing beside what is
told is 0; where a division is by 0 there is no value) and .../AlarmThatSendsEmail.html#alarms-and-missing-data. Of
expressions it knows what those of the stacks use, and refuses any other.
"""

from __future__ import annotations

import ast
import datetime as dt
import operator
from collections.abc import Callable, Mapping
from typing import Any

_ARITHMETIC: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_COMPARED: Mapping[type[ast.cmpop] | str, Callable[[float, float], bool]] = {
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
}
_OF_SEVERAL: Mapping[str, Callable[[list[float]], float]] = {"SUM": sum, "MAX": max}


def judge(cloudwatch: Any, alarm: Mapping[str, Any], now: float) -> str:
    """Judges an alarm, as its template has it, of the periods that are over at `now` (seconds since 1970), sets its
    state, of which the emulator tells its topic, and gives it."""
    values = told(cloudwatch, alarm, now)
    is_beyond = _COMPARED[alarm["ComparisonOperator"]]
    silence_rings = {"breaching": True, "notBreaching": False}[alarm["TreatMissingData"]]
    beyond = [silence_rings if value is None else is_beyond(value, alarm["Threshold"]) for value in values]
    assert "DatapointsToAlarm" not in alarm, "all of the periods have to be beyond the limit"
    state = "ALARM" if all(beyond) else "OK"
    cloudwatch.set_alarm_state(AlarmName=alarm["AlarmName"], StateValue=state, StateReason=f"{values}")
    return state


def told(cloudwatch: Any, alarm: Mapping[str, Any], now: float) -> list[float | None]:
    """What an alarm judges of each of its periods, the oldest first; None where nothing was told."""
    if "MetricName" not in alarm:
        (shown,) = [each for each in alarm["Metrics"] if each.get("ReturnData", True)]
        stats = {each["Id"]: each["MetricStat"] for each in alarm["Metrics"] if "MetricStat" in each}
        expression = ast.parse(shown["Expression"], mode="eval").body
    else:
        statistic = alarm.get("ExtendedStatistic", alarm.get("Statistic"))
        metric = {name: alarm[name] for name in ("Namespace", "MetricName", "Dimensions")}
        stats = {"m": {"Metric": metric, "Period": alarm["Period"], "Stat": statistic}}
        expression = ast.Name("m")
    (period,) = {stat["Period"] for stat in stats.values()}
    end = now // period * period
    begin = end - alarm["EvaluationPeriods"] * period
    found = cloudwatch.get_metric_data(
        MetricDataQueries=[{"Id": name, "MetricStat": stat} for name, stat in stats.items()],
        StartTime=dt.datetime.fromtimestamp(begin, dt.UTC),
        EndTime=dt.datetime.fromtimestamp(end, dt.UTC),
    )["MetricDataResults"]
    by_time: dict[float, dict[str, float]] = {}
    for each in found:
        for at, value in zip(each["Timestamps"], each["Values"], strict=True):
            by_time.setdefault(at.timestamp(), {})[each["Id"]] = value
    times = [begin + place * period for place in range(alarm["EvaluationPeriods"])]
    return [evaluated(expression, dict.fromkeys(stats, 0.0) | by_time[at]) if at in by_time else None for at in times]


def evaluated(expression: ast.expr, values: Mapping[str, float]) -> float | None:
    """An expression of metric math at one moment; None where it divides by 0."""
    try:
        return _value(expression, values)
    except ZeroDivisionError:
        return None


def _value(node: ast.expr, values: Mapping[str, float]) -> float:
    match node:
        case ast.Name(name):
            return values[name]
        case ast.Constant(int() | float() as number):
            return number
        case ast.BinOp(left, how, right):
            return _ARITHMETIC[type(how)](_value(left, values), _value(right, values))
        case ast.Compare(left, [how], [right]):
            return _COMPARED[type(how)](_value(left, values), _value(right, values))
        case ast.Call(ast.Name("IF"), [condition, then, otherwise]):
            return _value(then if _value(condition, values) else otherwise, values)
        case ast.Call(ast.Name(function), [ast.List(parts)]):
            return _OF_SEVERAL[function]([_value(part, values) for part in parts])
    raise ValueError(f"No expression of the stacks was of this kind so far: {ast.unparse(node)}")
