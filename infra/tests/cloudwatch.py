"""How CloudWatch evaluates alarms, minute by minute, on series that are made up.

Sources: "Using Amazon CloudWatch alarms" and "Configuring how CloudWatch alarms treat missing data" of the CloudWatch user guide. A
metric alarm looks, each minute, at its last periods: so many as it evaluates, and two more where some of those have no data. A
composite alarm is a formula of other alarms' states. What is not simulated: that data comes a minute or two late, percentiles of few
samples, anomaly bands, and the quarter of a minute an action takes.
"""

import re

EXTRA_PERIODS = 2
OK, ALARM, INSUFFICIENT = "OK", "ALARM", "INSUFFICIENT_DATA"
FUNCTION = re.compile(r"\bIF\(")
MATH = {
    "when": lambda condition, then, otherwise: then if condition else otherwise,
    "FILL": lambda value, instead: instead if value is None else value,
    # What an account may have is nothing a replay knows.
    "SERVICE_QUOTA": lambda value: None,
}


class Series:
    """A metric by minute; a minute without a value has no data."""

    def __init__(self, values):
        self.sums = [0.0]
        self.counts = [0]
        for value in values:
            self.sums.append(self.sums[-1] + (value or 0.0))
            self.counts.append(self.counts[-1] + (value is not None))
        self.values = values

    def statistic(self, name, first, end):
        """Returns a statistic of the minutes `first` to `end`, or nothing where they have no data."""
        first = max(first, 0)
        if end <= first or self.counts[end] == self.counts[first]:
            return None
        if name == "Sum":
            return self.sums[end] - self.sums[first]
        values = [value for value in self.values[first:end] if value is not None]
        if name == "Average":
            return sum(values) / len(values)
        if name in ("Maximum", "Minimum"):
            return max(values) if name == "Maximum" else min(values)
        raise AssertionError(f"the statistic {name} is not simulated")


class Samples:
    """A metric of samples by minute, of which so many are at most what its alarms ask for."""

    def __init__(self, total, good):
        self.total, self.good = Series(total), Series(good)

    def statistic(self, name, first, end):
        assert name == "SampleCount" or name.startswith("TC(:"), f"the statistic {name} is not simulated"
        return (self.total if name == "SampleCount" else self.good).statistic("Sum", first, end)


def metric_key(of):
    """Returns a metric's name, and the values of what it is of, in order."""
    dimensions = sorted((dimension["Name"], dimension["Value"]) for dimension in of.get("Dimensions", []))
    return of["Namespace"], of["MetricName"], tuple(value for _, value in dimensions)


class MetricAlarm:
    """One `AWS::CloudWatch::Alarm`, from its properties."""

    def __init__(self, properties):
        self.properties = properties
        self.state = INSUFFICIENT
        self.periods = properties["EvaluationPeriods"]
        self.needed = properties.get("DatapointsToAlarm", self.periods)
        self.missing = properties.get("TreatMissingData", "missing")
        if "Metrics" in properties:
            self.metrics = {one["Id"]: one["MetricStat"] for one in properties["Metrics"] if "MetricStat" in one}
            [self.expression] = [one["Expression"] for one in properties["Metrics"] if one.get("ReturnData", True)]
        else:
            stat = {"Metric": properties, "Stat": properties["Statistic"], "Period": properties["Period"]}
            self.metrics, self.expression = {"value": stat}, "value"
        [self.minutes] = {one["Period"] // 60 for one in self.metrics.values()}
        # The functions and comparisons of metric math that these alarms use are Python's.
        self.code = compile(FUNCTION.sub("when(", self.expression), self.expression, "eval")

    def datapoint(self, series, end):
        values = dict(MATH)
        for name, stat in self.metrics.items():
            of = series.get(metric_key(stat["Metric"]))
            values[name] = of and of.statistic(stat["Stat"], end - self.minutes, end)
        if all(values[name] is None for name in self.metrics):
            return None
        return evaluate(self.code, values)

    def is_breaching(self, value):
        threshold = self.properties["Threshold"]
        match self.properties["ComparisonOperator"]:
            case "GreaterThanThreshold":
                return value > threshold
            case "GreaterThanOrEqualToThreshold":
                return value >= threshold
            case "LessThanThreshold":
                return value < threshold
            case "LessThanOrEqualToThreshold":
                return value <= threshold
        raise AssertionError("unknown comparison")

    def breaches(self, series, end, back):
        values = [self.datapoint(series, end - periods * self.minutes) for periods in back]
        return [None if value is None else self.is_breaching(value) for value in values]

    def look(self, series, minute):
        """Evaluates the alarm at the end of a minute, and returns its state."""
        found = self.breaches(series, minute + 1, range(self.periods))
        if None in found:
            found += self.breaches(series, minute + 1, range(self.periods, self.periods + EXTRA_PERIODS))
        self.state = decide(found, self.periods, self.needed, self.missing, self.state)
        return self.state


def evaluate(code, values):
    """Returns the value of an expression; a division by nothing, and what has no data, give none, as in metric math."""
    try:
        return float(eval(code, {"__builtins__": {}}, values))
    except (ZeroDivisionError, TypeError):
        return None


def decide(found, periods, needed, missing, state):
    """Returns the state after datapoints, the newest first: whether each breaches, `None` where there is none."""
    newest = found[:periods]
    if None in newest:
        real = [breaches for breaches in found if breaches is not None]
        if len(real) >= periods:
            newest = real[:periods]
        elif missing in ("breaching", "notBreaching"):
            newest = real + [missing == "breaching"] * (periods - len(real))
        elif not real:
            return state if missing == "ignore" else INSUFFICIENT
        elif not all(real):
            return OK
        else:
            return state if missing == "ignore" else ALARM
    return ALARM if sum(newest) >= needed else OK


class CompositeAlarm:
    """One `AWS::CloudWatch::CompositeAlarm`; alarms in its rule go by what `Ref` gives of them."""

    def __init__(self, properties):
        self.properties = properties
        self.state = OK
        rule = re.sub(r'ALARM\("([^"]+)"\)', r"alarm('\1')", properties["AlarmRule"])
        rule = re.sub(r"\b(AND|OR|NOT)\b", lambda found: found[1].lower(), rule)
        self.code = compile(" ".join(rule.split()), "rule", "eval")

    def look(self, states):
        alarm = lambda name: states[name] == ALARM
        self.state = ALARM if eval(self.code, {"__builtins__": {}}, {"alarm": alarm}) else OK
        return self.state


class Alarms:
    """All alarms of a stack, as deployed."""

    def __init__(self, stack):
        self.metric = {f"<{path}>": MetricAlarm(of["Properties"]) for path, of in stack.all("AWS::CloudWatch::Alarm").items()}
        composite = stack.all("AWS::CloudWatch::CompositeAlarm")
        self.composite = {f"<{path}>": CompositeAlarm(of["Properties"]) for path, of in composite.items()}

    def replay(self, series, minutes):
        """Returns when something was sent, as minutes and alarms, of those whose alarms are sent to somebody."""
        states, sent, waiting, suppressed_until = {}, [], {}, {}
        for minute in range(minutes):
            before = dict(states)
            for name, alarm in self.metric.items():
                states[name] = alarm.look(series, minute)
            for name, alarm in self.composite.items():
                states[name] = alarm.look(states)
            for name, alarm in {**self.metric, **self.composite}.items():
                if not alarm.properties.get("AlarmActions"):
                    continue
                wait, extension = (
                    alarm.properties.get(f"ActionsSuppressor{period}", 0) // 60 for period in ("WaitPeriod", "ExtensionPeriod")
                )
                suppressor = alarm.properties.get("ActionsSuppressor", "").replace(".Arn>", ">")
                if states.get(suppressor) == ALARM:
                    suppressed_until[name] = minute + extension
                if states[name] != ALARM or minute <= suppressed_until.get(name, -1):
                    waiting.pop(name, None)
                elif before.get(name) != ALARM:
                    waiting[name] = minute + wait
                if waiting.get(name) == minute:
                    sent.append((minute, name.strip("<>")))
        return sent
