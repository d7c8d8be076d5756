"""Reset: what runs is cancelled, what waits stays, workers start again, also those that hang."""

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils.timezone import now
from live import wait_until
from test_worker import database_url

from marserver.audit.models import Change
from marserver.errors import Conflict
from marserver.jobs import leases, presence, queue, steering
from marserver.jobs.models import Job, QueueState, Status, WorkerBeat
from marserver.jobs.names import own_name
from marserver.jobs.queue import Order
from marserver.keeper import Keeper
from marserver.reduction import requests

pytestmark = pytest.mark.django_db(transaction=True)

SCRIPT = """
import time, django
django.setup()
from marserver.jobs import heartbeat
from marserver.jobs.work import Report
from marserver.jobs.worker import main
heartbeat.GRACE_S = 1.0

def patient(work):
    for number in range(600):
        work.progress("wait", number, 600)
        time.sleep(0.05)
    return Report("waited")

def stubborn(work):
    work.progress("kernel", 0, 1)
    time.sleep(600)
    return Report("not stopped")

main({"patient": patient, "stubborn": stubborn, "quick": lambda work: Report("done")})
"""


@pytest.fixture
def workers(root):
    """`workers(lease_s=...)` starts a real worker process; all are killed at the end."""
    started = []

    def start(**more):
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "marserver.settings",
            "MAR_ROOT": str(root),
            "MAR_DATABASE_URL": database_url(),
            "MAR_ENGINE": "inline",
            "PYTHONPATH": str(Path(__file__).resolve().parents[2] / "src"),
            **more,
        }
        started.append(subprocess.Popen([sys.executable, "-c", SCRIPT], env=environment))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def ordered(function, block="1"):
    return queue.enqueue(Order(function, "biasblock", block))


def is_doing(job):
    return lambda: Job.objects.filter(pk=job.pk, status=Status.DOING, total__gt=0).exists()


def ended(job):
    job.refresh_from_db()
    return job.status


def begun_again(process, since):
    return WorkerBeat.objects.filter(
        name__contains=f":{process.pid}:", generation__gte=1, started_at__gt=since
    ).exists()


@pytest.mark.parametrize("function", ["patient", "stubborn"])
def test_what_runs_is_cancelled_and_what_waits_runs_afterwards(root, workers, function):
    job, later = ordered(function), ordered("quick", "2")
    process = workers()
    wait_until(is_doing(job), 30)
    asked = now()
    outcome = requests.reset(asked_by="carol")
    assert outcome.values == {"stopped": [job.pk], "workers": 1}
    assert f"operation {job.pk}" in outcome.msg
    assert "1 worker starts again" in outcome.msg
    wait_until(lambda: ended(job) == Status.CANCELLED, 30)
    wait_until(lambda: begun_again(process, asked), 30)
    wait_until(lambda: ended(later) == Status.DONE, 30)
    assert process.poll() is None
    assert "resets the workers" in (root / job.log_path).read_text()
    assert not list((root / "LOGS").glob(".*")), "nothing is left half-written"
    again = queue_again(job)
    wait_until(is_doing(again), 30)


def queue_again(job):
    """A cancelled operation can be queued again."""
    outcome = requests.requeue(job.pk, asked_by="alice")
    again = Job.objects.get(pk=outcome.values["job"])
    assert (again.function, again.user) == (job.function, "alice")
    return again


def test_idle_workers_start_again_too(workers):
    processes = [workers(), workers()]
    wait_until(lambda: presence.living().count() == 2, 30)
    asked = now()
    outcome = requests.reset(asked_by="carol")
    assert outcome.values == {"stopped": [], "workers": 2}
    assert outcome.msg == "nothing was running; 2 workers start again"
    for process in processes:
        wait_until(lambda process=process: begun_again(process, asked), 30)
    assert presence.living().count() == 2


def test_a_worker_that_hangs_loses_its_job_to_the_reset(workers, settings):
    settings.MAR_LEASE_S = 2
    job = ordered("patient")
    process = workers(MAR_LEASE_S="2")
    wait_until(is_doing(job), 30)
    process.send_signal(signal.SIGSTOP)
    asked = now()
    requests.reset(asked_by="carol")
    assert ended(job) == Status.DOING, "its lease has not run out yet"
    time.sleep(2.5)
    requests.get_process()
    assert (ended(job), job.outcome) == (Status.CANCELLED, "cancelled")
    assert queue_again(job)
    process.send_signal(signal.SIGCONT)
    wait_until(lambda: begun_again(process, asked), 30)


def test_a_reset_without_workers_says_so(root):
    job = ordered("quick")
    queue.claim("dead")
    Job.objects.update(lease_until=now() - timedelta(seconds=1))
    outcome = requests.reset(asked_by="carol")
    assert outcome.values == {"stopped": [job.pk], "workers": 0}
    assert "start one with mar worker" in outcome.msg
    assert ended(job) == Status.CANCELLED
    assert [(one.user, one.kind, one.target) for one in Change.objects.filter(action="reset_thread")] == [
        ("carol", "queue", "queue"), ("carol", "operation", str(job.pk))
    ]  # fmt: skip


def test_a_worker_of_before_the_reset_gets_nothing_more():
    ordered("quick")
    old = presence.sign_in("w")
    steering.reset()
    assert queue.claim("w", old) is None
    assert queue.claim("w", presence.sign_in("w")) is not None


def test_only_administrators_reset(call_as, alice, carol):
    assert call_as(alice)("reset_thread")["status"] is False
    answer = call_as(carol)("reset_threads")
    assert (answer["stopped"], answer["workers"]) == ([], 0)


def test_a_process_that_does_not_start_again_is_late(settings):
    own = os.getpid()
    presence.sign_in(own_name())
    steering.reset()
    assert not presence.is_late(own), "it still has time"
    QueueState.objects.update(reset_at=now() - timedelta(minutes=1))
    assert presence.is_late(own)
    assert not presence.is_late(own + 1)
    presence.sign_in(own_name())
    assert not presence.is_late(own)


def test_the_keeper_kills_a_worker_that_is_late(monkeypatch):
    monkeypatch.setattr("marserver.keeper.ASK_EVERY_S", 0.1)
    late = []
    keeper = Keeper([sys.executable, "-c", "import time; time.sleep(600)"], 0.1, is_late=late.__contains__)
    keeper.start()
    try:
        wait_until(lambda: keeper.child is not None)
        first = keeper.child
        first.send_signal(signal.SIGSTOP)
        late.append(first.pid)
        wait_until(lambda: keeper.child is not first)
        assert first.returncode == -signal.SIGKILL
    finally:
        keeper.stop()


def test_a_job_whose_block_is_gone_is_not_queued_again(root):
    job = queue.enqueue(Order("process_biasblock", "biasblock", "77", params={"id": 77}))
    steering.remove(job.pk)
    with pytest.raises(Conflict, match="there is no biasblock 77"):
        requests.requeue(job.pk)


def test_the_log_of_an_operation_whose_worker_died_is_kept(root):
    job = ordered("quick")
    claimed = queue.claim("dead")
    steering.cancel(job.pk)
    leases.recover(now() + timedelta(days=1))
    job.refresh_from_db()
    assert (job.status, job.log_path) == (Status.CANCELLED, f"LOGS/operation{claimed.pk:06d}.log")
    assert "its worker is gone" in (root / job.log_path).read_text()
