"""What pages and when: made-up months against the alarms as they are deployed."""

import random

import pytest

from cloudwatch import ALARM, INSUFFICIENT, OK, Alarms, Samples, Series, decide
from scenarios import scenario

API = ("lectern", "live")
ERRORS, REQUESTS = ("AWS/ApiGateway", "5XXError", API), ("AWS/ApiGateway", "Count", API)
HOUR, DAY = 60, 24 * 60
PAGE, TICKET = "Observability.Availability", "Observability.AvailabilityTicket"
SLOW, LEVELS = "Levels.Answers", "Levels.LevelsTicket"


# The schedule of backups goes on every fifteen minutes, whatever else happens.
BACKUPS = ("AWS/Lambda", "Invocations", ("lectern-backup",))
# The canary's name is made of the stack's id.
CANARY = ("CloudWatchSynthetics", "SuccessPercent", ("lectern-51af3dc0",))
CANARY_EVERY = 5


def measured(name, function, **labels):
    """Returns the key of what a function measures."""
    dimensions = sorted({"stack": "lectern", "function": function, **labels}.items())
    return "Lectern", name, tuple(value for _, value in dimensions)


FIRST, COMPLETE = measured("rag_first_token_seconds", "query"), measured("rag_query_duration_seconds", "query")


def canary(minutes, fails=lambda minute: False, late=lambda minute: 0):
    """Returns the canary's runs: which fail, and how many minutes late one ends."""
    values = [None] * minutes
    for minute in range(0, minutes, CANARY_EVERY):
        if (end := minute + late(minute)) < minutes:
            values[end] = 0 if fails(minute) else 100
    return Series(values)


def replayed(minutes, series):
    """Returns what is sent of series besides the schedule's and the canary's."""
    runs = {BACKUPS: Series([1 if minute % 15 == 0 else None for minute in range(minutes)]), CANARY: canary(minutes)}
    return Alarms(scenario("full")).replay({**runs, **series}, minutes)


def sent(requests, errors):
    """Returns what is sent when so many requests a minute come, and so many of them fail."""
    return replayed(len(requests), {REQUESTS: Series(requests), ERRORS: Series(errors)})


def late(minutes, answers, share):
    """Returns answers a minute, and those of them that are as quick as promised."""
    answers, late = steady(minutes, answers, share)
    return answers, [of - bad for of, bad in zip(answers, late)]


def steady(minutes, requests, share):
    """Returns a service with so many requests a minute of which a share fails, evenly."""
    errors = [int((minute + 1) * requests * share) - int(minute * requests * share) for minute in range(minutes)]
    return [requests] * minutes, errors


def joined(*parts):
    return [sum(sides, []) for sides in zip(*parts)]


# The tables of "Configuring how CloudWatch alarms treat missing data": oldest first, X breaches, - is missing.
@pytest.mark.parametrize(
    ("seen", "needed", "missing", "ignore", "breaching", "not_breaching"),
    [
        ("0-X-X", 3, OK, OK, OK, OK),
        ("0----", 3, OK, OK, OK, OK),
        ("-----", 3, INSUFFICIENT, "same", ALARM, OK),
        ("0XX-X", 3, ALARM, ALARM, ALARM, ALARM),
        ("--X--", 3, ALARM, "same", ALARM, OK),
        ("0-X-X", 2, ALARM, ALARM, ALARM, ALARM),
        ("00X0X", 2, ALARM, ALARM, ALARM, ALARM),
        ("0-X--", 2, OK, OK, ALARM, OK),
        ("----0", 2, OK, OK, ALARM, OK),
        ("---X-", 2, ALARM, "same", ALARM, OK),
    ],
)
def test_missing_data_counts_as_the_guide_says(seen, needed, missing, ignore, breaching, not_breaching):
    found = [{"X": True, "0": False, "-": None}[one] for one in reversed(seen)]
    for treatment, expected in {
        "missing": missing,
        "ignore": ignore,
        "breaching": breaching,
        "notBreaching": not_breaching,
    }.items():
        expected = "same" if expected == "same" else expected
        assert decide(found, 3, needed, treatment, "same") == expected, treatment


def test_an_outage_pages_within_three_minutes_and_once():
    for requests in (10, 60, 1_000):
        before = 2 * DAY
        [(minute, name)] = sent(*joined(steady(before, requests, 0.0), steady(2 * HOUR, requests, 1.0)))
        assert name == PAGE and minute - before < 3, (requests, minute - before)


def test_an_outage_of_a_quiet_service_pages_too():
    # A request in two minutes: no share of a minute, but five failures in an hour.
    requests = [minute % 2 for minute in range(DAY + 2 * HOUR)]
    errors = [of if minute >= DAY else 0 for minute, of in enumerate(requests)]
    [(minute, name)] = sent(requests, errors)
    assert name == PAGE and minute - DAY <= 30, minute - DAY


@pytest.mark.parametrize(
    ("share", "name", "within"),
    # 2 % is four times what a month may have: the steady burn's hour shows it after three quarters.
    [(0.10, PAGE, 50), (0.04, PAGE, 6 * HOUR), (0.02, TICKET, HOUR), (0.008, TICKET, DAY)],
)
def test_a_burn_is_said_in_time(share, name, within):
    before = DAY
    told = sent(*joined(steady(before, 100, 0.0), steady(2 * DAY, 100, share)))
    first = min(minute for minute, said in told if said == name)
    assert first - before <= within, told
    assert [said for _, said in told].count(PAGE) <= 1, told
    if name == TICKET:
        assert PAGE not in {said for _, said in told}, told


def test_what_is_over_is_not_said_long():
    outage = joined(steady(DAY, 100, 0.0), steady(20, 100, 1.0), steady(6 * HOUR, 100, 0.0))
    alarms = Alarms(scenario("full"))
    series = {REQUESTS: Series(outage[0]), ERRORS: Series(outage[1])}
    series |= {BACKUPS: Series([1] * len(outage[0])), CANARY: canary(len(outage[0]))}
    alarms.replay(series, DAY + 20 + 5)
    assert alarms.composite[f"<{PAGE}>"].state == ALARM
    alarms.replay(series, DAY + 20 + 31)
    assert alarms.composite[f"<{PAGE}>"].state == OK


def test_a_spike_of_a_minute_pages_nobody():
    assert sent(*joined(steady(DAY, 100, 0.0), steady(1, 100, 0.5), steady(DAY, 100, 0.0))) == []


def test_no_traffic_and_missing_data_page_nobody():
    assert sent([None] * DAY, [None] * DAY) == []
    # The gateway sends nothing of minutes without a request.
    sparse = [1 if minute % 97 == 0 else None for minute in range(3 * DAY)]
    assert sent(sparse, [None if of is None else 0 for of in sparse]) == []


@pytest.mark.parametrize("seed", range(2))
def test_a_healthy_month_pages_fewer_than_five_times(seed):
    chance = random.Random(seed)
    requests, errors = [], []
    for minute in range(30 * DAY):
        # Busy by day, quiet by night; one request in a thousand fails, and now and then a minute is bad.
        busy = 60 if 8 * HOUR <= minute % DAY < 20 * HOUR else 3
        count = max(0, round(chance.gauss(busy, busy**0.5)))
        share = 0.2 if chance.random() < 1e-4 else 0.001
        requests.append(count or None)
        errors.append(sum(chance.random() < share for _ in range(count)) if count else None)
    told = [name for _, name in sent(requests, errors)]
    assert told.count(PAGE) < 5 and told.count(TICKET) < 5, told


def test_late_answers_page_once_and_a_little_late_is_a_ticket():
    for share, name, within in [(0.9, SLOW, 35), (0.4, SLOW, HOUR), (0.08, LEVELS, DAY)]:
        answers, quick = joined(late(DAY, 20, 0.01), late(DAY + HOUR, 20, share))
        told = replayed(len(answers), {FIRST: Samples(answers, quick), COMPLETE: Samples(answers, quick)})
        first = min((minute for minute, said in told if said == name), default=None)
        assert first is not None and first - DAY <= within, (share, told)
        assert [said for _, said in told].count(name) == 1, (share, told)
        assert name == SLOW or SLOW not in {said for _, said in told}, (share, told)


def test_what_fails_and_is_late_pages_once():
    requests, errors = joined(steady(DAY, 60, 0.0), steady(2 * HOUR, 60, 1.0))
    answers, quick = joined(late(DAY, 20, 0.0), late(2 * HOUR, 20, 1.0))
    series = {REQUESTS: Series(requests), ERRORS: Series(errors), FIRST: Samples(answers, quick), COMPLETE: Samples(answers, quick)}
    assert [name for _, name in replayed(len(requests), series)] == [PAGE]


def test_documents_that_fail_are_a_ticket_also_where_none_ever_failed_before():
    name = "rag_document_processing_seconds"
    of = lambda outcome: measured(name, "ingest", outcome=outcome)
    ready = [1 if minute % 3 == 0 else None for minute in range(2 * DAY)]
    failed = [1 if minute >= DAY and minute % 20 == 0 else None for minute in range(2 * DAY)]
    healthy = {of("ready"): Samples(ready, ready)}
    assert replayed(2 * DAY, healthy) == []
    told = replayed(2 * DAY, {**healthy, of("failed"): Samples(failed, failed)})
    assert [said for _, said in told] == [LEVELS]


def test_few_late_answers_of_a_quiet_service_are_none():
    answers = [1 if minute % 240 == 0 else None for minute in range(3 * DAY)]
    none = [None if of is None else 0 for of in answers]
    assert replayed(3 * DAY, {FIRST: Samples(answers, none)}) == [], "six answers a day, each in an hour of its own"


@pytest.mark.parametrize(
    ("metric", "before", "after", "name", "within"),
    [
        (measured("rag_backup_age_seconds", "backup"), 80_000, 100_000, "Causes.BackupAge", HOUR),
        (measured("rag_drill_age_seconds", "backup"), 600_000, 700_000, "Causes.DrillAge", HOUR),
        (("AWS/SQS", "ApproximateAgeOfOldestMessage", ("<Data.JobsQueue.QueueName>",)), 5, 900, "Causes.QueueAge", 15),
        (("AWS/Lambda", "Throttles", ("lectern-query",)), 0, 20, "Causes.Throttles", 10),
        (("AWS/WAFV2", "BlockedRequests", ("eu-central-1", "ALL", "lectern-acl")), 3, 900, "Causes.WafBlocks", 5),
    ],
)
def test_a_cause_is_said_once_and_in_time(metric, before, after, name, within):
    values = [before] * DAY + [after] * (6 * HOUR)
    [(minute, said)] = replayed(len(values), {metric: Series(values)})
    assert (said, minute - DAY <= within) == (name, True), minute - DAY


def test_a_model_without_quota_is_said():
    metric = measured("gen_ai_client_operation_duration_seconds", "query", gen_ai_operation_name="chat", error_type="rate_limited")
    refused = [None] * DAY + [2] * HOUR
    [(minute, name)] = replayed(len(refused), {metric: Samples(refused, refused)})
    assert name == "Causes.ModelQuota" and minute - DAY <= 10


@pytest.mark.parametrize("stage", ["embed", "generate", "rerank"])
def test_answers_that_do_without_something_are_said_where_that_lasts(stage):
    asked = [2] * (DAY + 2 * HOUR)
    questions = {measured("rag_query_duration_seconds", "query"): Samples(asked, asked)}
    without = lambda begin, end: {
        measured("rag_degraded_total", "query", stage=stage): Series(
            [2 if begin <= minute < end else None for minute in range(len(asked))]
        )
    }
    [(minute, name)] = replayed(len(asked), {**questions, **without(DAY, len(asked))})
    assert name == "Causes.AnswersDoWithout" and minute - DAY <= 20, minute - DAY
    assert replayed(len(asked), {**questions, **without(DAY, DAY + 8)}) == [], "some minutes are none"


def test_backups_that_stopped_are_said_though_they_tell_nothing():
    runs = [1 if minute % 15 == 0 else None for minute in range(DAY)] + [None] * (6 * HOUR)
    [(minute, name)] = replayed(len(runs), {BACKUPS: Series(runs)})
    assert name == "Causes.BackupsStopped" and minute - DAY <= 2 * HOUR


@pytest.mark.parametrize("begin", range(HOUR, HOUR + CANARY_EVERY))
def test_a_canary_that_fails_pages_in_time_though_nobody_asks(begin):
    [(minute, name)] = replayed(3 * HOUR, {CANARY: canary(3 * HOUR, lambda minute: minute >= begin)})
    assert name == PAGE and minute - begin <= 15, minute - begin


def test_a_canary_that_runs_no_more_pages_too():
    runs = canary(HOUR).values + [None] * (2 * HOUR)
    [(minute, name)] = replayed(len(runs), {CANARY: Series(runs)})
    # CloudWatch takes older data for missing one as long as there is some.
    assert name == PAGE and minute - HOUR <= 45, minute - HOUR


def test_one_failed_run_of_three_pages_nobody():
    assert replayed(3 * HOUR, {CANARY: canary(3 * HOUR, lambda minute: minute == HOUR)}) == []
    assert replayed(3 * HOUR, {CANARY: canary(3 * HOUR, lambda minute: minute % 15 == 5)}) == []


@pytest.mark.parametrize("seed", range(3))
def test_runs_that_end_early_and_late_page_for_an_outage_alone(seed):
    chance, minutes = random.Random(seed), 12 * HOUR
    ends = {minute: chance.randrange(2) for minute in range(0, minutes, CANARY_EVERY)} | {0: 0}
    # Each fifth run fails by itself; from the tenth hour on all do.
    runs = canary(minutes, lambda minute: minute % 25 == 20 or minute >= 10 * HOUR, ends.get)
    [(minute, name)] = replayed(minutes, {CANARY: runs})
    assert name == PAGE and 0 <= minute - 10 * HOUR <= 15, minute - 10 * HOUR


@pytest.mark.parametrize("requests", [60, 0.5])
def test_an_outage_that_the_canary_sees_as_well_pages_once(requests):
    # A busy service pages before the canary's second run, a quiet one after it.
    count = [int((minute + 1) * requests) - int(minute * requests) for minute in range(8 * HOUR)]
    errors = [of if minute >= 2 * HOUR else 0 for minute, of in enumerate(count)]
    seen = canary(len(count), lambda minute: minute >= 2 * HOUR)
    [(minute, name)] = replayed(len(count), {REQUESTS: Series(count), ERRORS: Series(errors), CANARY: seen})
    assert name == PAGE and minute - 2 * HOUR <= 15, minute - 2 * HOUR


def test_late_answers_that_the_canary_waits_for_in_vain_page_once():
    answers, quick = joined(late(DAY, 20, 0.0), late(2 * HOUR, 20, 1.0))
    series = {FIRST: Samples(answers, quick), COMPLETE: Samples(answers, quick)}
    series[CANARY] = canary(len(answers), lambda minute: minute >= DAY)
    assert [name for _, name in replayed(len(answers), series)] == [PAGE]


def test_the_page_of_the_canary_ends_with_its_cause():
    alarms = Alarms(scenario("full"))
    series = {BACKUPS: Series([1] * 2 * HOUR), CANARY: canary(2 * HOUR, lambda minute: HOUR <= minute < HOUR + 20)}
    for minute, state in ((HOUR + 15, ALARM), (HOUR + 35, OK)):
        alarms.replay(series, minute)
        assert alarms.composite[f"<{PAGE}>"].state == state, minute
