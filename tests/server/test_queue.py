"""The queue: no job twice, none lost, in order."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils.timezone import now

from marserver.errors import Conflict, NotFound
from marserver.jobs import leases, queue, steering
from marserver.jobs.models import Job, QueueState, Status
from marserver.jobs.queue import Order
from marserver.reduction import requests

pytestmark = pytest.mark.django_db


def order(block="1", **more):
    return Order("process_biasblock", "biasblock", block, **more)


def test_jobs_come_out_in_order_of_priority_then_age():
    first, second, urgent = (
        queue.enqueue(order(block, priority=rank)) for block, rank in (("1", 0), ("2", 0), ("3", 5))
    )
    assert list(queue.waiting()) == [urgent, first, second]
    assert queue.claim("w") == urgent


def test_the_same_target_is_refused_while_it_waits_and_while_it_runs():
    job = queue.enqueue(order())
    with pytest.raises(Conflict, match=f"already queued as operation {job.pk}"):
        queue.enqueue(order())
    queue.claim("w")
    with pytest.raises(Conflict, match=f"running now as operation {job.pk}"):
        queue.enqueue(order(code="ov"))


def test_the_same_target_is_accepted_once_it_has_ended():
    queue.enqueue(order())
    queue.finish(queue.claim("w"), Status.DONE)
    assert queue.enqueue(order()).status == Status.TODO


def test_another_band_is_another_target():
    queue.enqueue(Order("process_finaltiles", "finaltiles", "F1", "R"))
    assert queue.enqueue(Order("process_finaltiles", "finaltiles", "F1", "G"))


def test_one_job_runs_at_a_time_over_all_workers():
    queue.enqueue(order("1"))
    queue.enqueue(order("2"))
    assert queue.claim("one") is not None
    assert queue.claim("two") is None


def test_more_jobs_run_where_the_settings_say_so(settings):
    settings.MAR_JOBS = 2
    for block in "123":
        queue.enqueue(order(block))
    assert [queue.claim(name) is not None for name in ("one", "two", "three")] == [True, True, False]


def test_every_moment_shows_a_job_in_the_queue_or_running():
    job = queue.enqueue(order())
    assert (list(queue.waiting()), list(queue.running())) == ([job], [])
    queue.claim("w")
    assert (list(queue.waiting()), list(queue.running())) == ([], [job])
    leases.recover(now() + timedelta(days=1))
    assert (list(queue.waiting()), list(queue.running())) == ([job], [])


def test_a_silent_worker_loses_its_job():
    queue.enqueue(order())
    job = queue.claim("dead")
    assert leases.recover() == 0
    Job.objects.update(lease_until=now() - timedelta(seconds=1))
    again = queue.claim("alive")
    assert again is not None
    assert (again.pk, again.attempts) == (job.pk, 2)
    assert not leases.beat(job).held
    assert not queue.finish(job, Status.DONE)
    assert queue.finish(again, Status.DONE)


def test_a_job_that_kills_its_workers_fails_at_last(settings):
    settings.MAR_ATTEMPTS = 2
    queue.enqueue(order())
    for _ in range(2):
        assert queue.claim("w") is not None
        Job.objects.update(lease_until=now() - timedelta(seconds=1))
    assert queue.claim("w") is None
    job = Job.objects.get()
    assert job.status == Status.FAILED
    assert "died 2 times" in job.error


def test_a_heartbeat_renews_the_lease():
    queue.enqueue(order())
    job = queue.claim("w")
    Job.objects.update(lease_until=now() - timedelta(seconds=1))
    assert leases.beat(job).held
    assert Job.objects.get().lease_until > now()


def test_cancel_of_a_running_job_is_heard_with_the_heartbeat():
    queue.enqueue(order())
    job = queue.claim("w")
    assert not leases.beat(job).cancel_wanted
    assert steering.cancel(job.pk).status == Status.DOING
    assert leases.beat(job).cancel_wanted


def test_a_cancelled_job_of_a_dead_worker_does_not_run_again():
    queue.enqueue(order())
    job = queue.claim("w")
    steering.cancel(job.pk)
    leases.recover(now() + timedelta(days=1))
    assert Job.objects.get().status == Status.CANCELLED


def test_cancel_of_a_waiting_job_takes_it_out():
    job = queue.enqueue(order())
    assert steering.cancel(job.pk).status == Status.CANCELLED
    with pytest.raises(Conflict, match="has ended"):
        steering.cancel(job.pk)


def test_remove_is_for_waiting_jobs_only():
    waits, runs = queue.enqueue(order("1", priority=-1)), queue.enqueue(order("2"))
    queue.claim("w")
    with pytest.raises(Conflict, match="use cancel"):
        steering.remove(runs.pk)
    with pytest.raises(NotFound, match="no operation 99"):
        steering.remove(99)
    steering.remove(waits.pk)
    assert not queue.waiting()
    with pytest.raises(Conflict, match="cancelled"):
        steering.remove(waits.pk)


def test_requeue_makes_a_new_job_of_an_ended_one():
    job = queue.enqueue(order(code="ov", params={"id": 1}))
    with pytest.raises(Conflict):
        steering.requeue(job.pk)
    queue.finish(queue.claim("w"), Status.FAILED)
    again = steering.requeue(job.pk, "alice")
    assert (again.function, again.code, again.params, again.user) == (job.function, "ov", {"id": 1}, "alice")
    assert again.pk != job.pk


def test_set_priority_moves_a_waiting_job():
    first, second = queue.enqueue(order("1")), queue.enqueue(order("2"))
    steering.set_priority(second.pk, 1)
    assert list(queue.waiting()) == [second, first]
    queue.claim("w")
    with pytest.raises(Conflict):
        steering.set_priority(second.pk, 0)


def test_a_paused_queue_starts_nothing():
    queue.enqueue(order())
    steering.set_paused(True)
    assert queue.claim("w") is None
    steering.set_paused(False)
    assert queue.claim("w") is not None


def test_a_job_handed_back_keeps_its_place_and_its_attempts():
    first = queue.enqueue(order("1"))
    queue.enqueue(order("2"))
    assert queue.hand_back(queue.claim("w"))
    again = queue.claim("w")
    assert (again.pk, again.attempts) == (first.pk, 1)


def test_a_job_that_changed_since_it_was_read_is_read_again(monkeypatch):
    """Between the look at the queue and its lock another worker may have put the job off, or taken it."""
    first, second = queue.enqueue(order("1")), queue.enqueue(order("2"))
    real, meanwhile = queue.lock_queue, iter((put_off_by_another, lambda: None))

    def lock():
        next(meanwhile)()
        return real()

    monkeypatch.setattr(queue, "lock_queue", lock)
    assert queue.claim("w") == second
    first.refresh_from_db()
    assert (first.status, first.retries, first.attempts) == (Status.TODO, 1, 0)


def put_off_by_another():
    job = queue.next_due()
    assert queue.take(job, "other")
    assert queue.put_off(job, "no catalogue answers")


def test_jobs_of_dead_neighbours_are_taken_back_at_once():
    queue.enqueue(order())
    queue.claim("dead")
    assert leases.recover_of_dead("me", lambda name, own: name != "dead") == 1
    assert queue.waiting().count() == 1


@pytest.mark.django_db(transaction=True)
def test_many_workers_at_once_never_share_a_job(settings):
    settings.MAR_JOBS = 100
    for number in range(12):
        queue.enqueue(order(str(number)))
    claimed, start = [], threading.Barrier(4)

    def work(name):
        start.wait()
        while job := queue.claim(name):
            claimed.append(job.pk)
        connection.close()

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed) == sorted(Job.objects.values_list("pk", flat=True))


@pytest.mark.django_db(transaction=True)
def test_workers_at_once_respect_one_job_at_a_time():
    for number in range(6):
        queue.enqueue(order(str(number)))
    QueueState.objects.all().delete()
    claimed, start = [], threading.Barrier(4)

    def work(name):
        start.wait()
        job = queue.claim(name)
        if job is not None:
            claimed.append(job.pk)
        connection.close()

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claimed) == 1


MANY = 10_000


@pytest.fixture
def _long_queue():
    """Ten thousand operations that wait."""
    Job.objects.bulk_create(
        (
            Job(function="scan_folder", kind="folder", target=f"folder {n}", block=str(n), queued_at=now())
            for n in range(MANY)
        ),
        batch_size=1000,
    )


@pytest.mark.usefixtures("_long_queue")
def test_a_long_queue_is_claimed_along_the_index_of_its_order(settings):
    settings.MAR_JOBS = 1000
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    plan = queue.due(now())[:1].explain()
    assert "job_order" in plan
    assert "Sort" not in plan
    assert "TEMP B-TREE" not in plan
    assert [queue.claim("w").block for _ in range(3)] == ["0", "1", "2"]


@pytest.mark.django_db
def test_a_queue_that_has_just_grown_is_read_along_the_index_of_its_order(request):
    Job.objects.bulk_create(
        Job(target=f"old {n}", status=Status.DONE, queued_at=now(), ended_at=now()) for n in range(MANY)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # nothing waits: that is what the database goes by
    request.getfixturevalue("_long_queue")
    for jobs in (queue.due(now())[:1], queue.running()):
        plan = jobs.explain()
        assert "job_order" in plan
        assert "target" not in plan


@pytest.mark.usefixtures("_long_queue")
def test_a_long_queue_is_shown_whole_by_one_query(django_assert_num_queries):
    running = queue.claim("w")
    with django_assert_num_queries(2):  # the other one looks for silent workers
        waits, runs = requests.queue_now()
    assert (len(waits), runs) == (MANY - 1, [running.pk])
    assert waits[0]["block"] == "1"
    for limit in (0, 3, 2**63 - 1):
        assert requests.queue_now(limit) == (waits[:limit], runs)


@pytest.mark.django_db(transaction=True)
def test_an_operation_is_seen_at_every_moment_until_it_ends(settings):
    settings.MAR_JOBS = 3
    ids = {queue.enqueue(order(str(number))).pk for number in range(30)}
    over = threading.Event()

    def work(name):
        for turn in range(200):
            job = queue.claim(name)
            if job is None:
                continue
            if turn % 3:
                queue.hand_back(job)
            else:
                queue.finish(job, Status.DONE)
        connection.close()

    def look():
        while not over.is_set():
            waits, runs = requests.queue_now()
            seen = {one["id"] for one in waits} | set(runs)
            ended = set(Job.objects.filter(status=Status.DONE).values_list("pk", flat=True))
            missed.extend(ids - seen - ended)
            looks.append(len(runs))
        connection.close()

    missed, looks = [], []
    reader = threading.Thread(target=look)
    workers = [threading.Thread(target=work, args=(name,)) for name in "abc"]
    for thread in (reader, *workers):
        thread.start()
    for thread in workers:
        thread.join()
    over.set()
    reader.join()
    assert missed == []
    assert max(looks) > 0
    assert Job.objects.filter(status=Status.DONE).count() > 0
