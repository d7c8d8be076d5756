"""Frames side by side: results as they come, a cancel between frames, a dead process fails only its frame."""

import os
import signal
import time

import pytest

from marserver.jobs.engine import (
    Inline,
    ProcessDied,
    Threads,
    close_shared_engine,
    open_engine,
    shared_engine,
)


def nothing():
    """A check that lets everything go on."""


def double(value):
    if value < 0:
        raise ValueError(f"{value} is negative")
    return 2 * value


def die(value, folder):
    """Kills its own process once for 1, always for 2."""
    marker = folder / f"died{value}"
    if value == 2 or (value == 1 and not marker.exists()):
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return value


def process_of(value):
    time.sleep(0.3)
    return os.getpid()


def interrupt(value):
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.2)
    return value


def sleep(value):
    time.sleep(value)
    return value


class StopNow(Exception):
    """Raised by a check."""


@pytest.fixture(scope="module")
def cluster():
    """A local cluster of two processes."""
    engine = open_engine("", 2)
    yield engine
    engine.close()


@pytest.mark.parametrize("choice", ["inline", "threads"])
def test_every_call_gives_its_result_or_its_error(choice):
    engine = open_engine(choice, 2)
    results = dict(engine.map(double, {"a": (1,), "b": (-1,), "c": (3,)}, nothing))
    engine.close()
    assert (results["a"].value, results["c"].value) == (2, 6)
    assert isinstance(results["b"].error, ValueError)


@pytest.mark.parametrize("choice", ["inline", "threads"])
def test_a_check_stops_the_rest(choice):
    engine = open_engine(choice, 1)
    seen = []

    def check():
        if len(seen) == 2:
            raise StopNow

    results = engine.map(double, {key: (key,) for key in range(5)}, check)
    with pytest.raises(StopNow):
        seen.extend(key for key, _ in results)
    engine.close()
    assert seen == [0, 1]


def test_threads_run_side_by_side():
    engine = Threads(4)
    begun = time.monotonic()
    assert len(list(engine.map(sleep, dict.fromkeys(range(4), (0.3,)), nothing))) == 4
    engine.close()
    assert time.monotonic() - begun < 1.0


def test_the_shared_engine_is_kept(settings):
    settings.MAR_ENGINE = "inline"
    assert shared_engine(1) is shared_engine(1)
    assert isinstance(shared_engine(1), Inline)
    close_shared_engine()


def test_a_cluster_runs_in_other_processes(cluster):
    results = dict(cluster.map(process_of, {key: (key,) for key in range(4)}, nothing))
    processes = {result.value for result in results.values()}
    assert len(processes) == 2
    assert os.getpid() not in processes


def test_ctrl_c_does_not_end_the_processes(cluster):
    results = dict(cluster.map(interrupt, {key: (key,) for key in range(2)}, nothing))
    assert [results[key].value for key in range(2)] == [0, 1]


def test_another_scheduler_is_used_by_its_address(cluster):
    engine = open_engine(cluster.cluster.client.scheduler.address)
    assert dict(engine.map(double, {key: (key,) for key in range(5)}, nothing))[4].value == 8
    engine.close()
    assert dict(cluster.map(double, {"a": (1,)}, nothing))["a"].value == 2, "it goes on without us"


def test_a_cluster_gives_errors_as_results(cluster):
    results = dict(cluster.map(double, {"good": (1,), "bad": (-1,)}, nothing))
    assert results["good"].value == 2
    assert isinstance(results["bad"].error, ValueError)


def test_a_dead_process_fails_its_own_frame_only_after_a_second_try(cluster, tmp_path):
    results = dict(cluster.map(die, {key: (key, tmp_path) for key in range(5)}, nothing))
    assert results[1].value == 1, "tried again"
    assert isinstance(results[2].error, ProcessDied)
    assert [results[key].value for key in (0, 3, 4)] == [0, 3, 4]


def test_a_cancel_stops_in_the_middle_of_a_frame_and_the_cluster_goes_on(cluster):
    begun = time.monotonic()

    def check():
        if time.monotonic() - begun > 1.0:
            raise StopNow

    with pytest.raises(StopNow):
        list(cluster.map(sleep, dict.fromkeys(range(2), (60,)), check))
    assert time.monotonic() - begun < 20
    assert dict(cluster.map(double, {"a": (1,)}, nothing))["a"].value == 2
