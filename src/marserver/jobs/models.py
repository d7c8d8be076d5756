"""Operations and their log."""

from django.db import models
from django.db.models import Q


class Status(models.TextChoices):
    """Where a job stands."""

    TODO = "todo"  #: waits for a worker
    DOING = "doing"  #: a worker runs it, as long as its lease is renewed
    DONE = "done"  #: its record is committed
    FAILED = "failed"  #: it ended with an error, or its workers died too often
    CANCELLED = "cancelled"  #: an operator stopped or removed it


ALIVE = (Status.TODO, Status.DOING)


class Job(models.Model):
    """One operation: a task function with what it acts on."""

    function = models.CharField(max_length=50)  # "biasblock process", as operators name it
    kind = models.CharField(max_length=30)  # of the target: biasblock, finaltiles, scan...
    target = models.CharField(max_length=600)  # kind and block: never twice in the queue
    block = models.CharField(max_length=500)  # id, field or path
    band = models.CharField(max_length=30, default="", blank=True)
    code = models.CharField(max_length=30, default="", blank=True)
    params = models.JSONField(default=dict)
    user = models.CharField(max_length=150, default="", blank=True)
    priority = models.SmallIntegerField(default=0)  # higher goes first
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.TODO)
    worker = models.CharField(max_length=200, default="", blank=True)
    lease_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    retries = models.PositiveSmallIntegerField(default=0)  # how often it was put off
    not_before = models.DateTimeField(null=True)  # put off until then
    cancel_wanted = models.BooleanField(default=False)
    queued_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)  # of every job that is not alive
    step = models.CharField(max_length=100, default="", blank=True)
    step_band = models.CharField(max_length=30, default="", blank=True)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    outcome = models.CharField(max_length=500, default="", blank=True)
    error = models.TextField(default="", blank=True)
    result = models.JSONField(default=dict)
    log_path = models.CharField(max_length=500, default="", blank=True)

    class Meta:
        db_table = "files_operations"
        indexes = [
            models.Index(fields=["status", "-priority", "id"], name="job_order"),
            models.Index(fields=["ended_at"], name="job_ended"),
        ]
        # Not by status: PostgreSQL, while it counts few that wait, would look for them in the index of this
        constraints = [
            models.UniqueConstraint(
                fields=["target"], condition=Q(ended_at__isnull=True), name="one_open_job_per_target"
            )
        ]

    def __str__(self) -> str:
        return " ".join(word for word in (self.function, self.block, self.band, self.code) if word)


class QueueState(models.Model):
    """The one row that claims lock: at most one claim is decided at a time, on every database."""

    paused = models.BooleanField(default=False)
    generation = models.PositiveIntegerField(default=0)  # how often the workers were asked to start again
    reset_at = models.DateTimeField(null=True)  # when they last were

    class Meta:
        db_table = "files_queuestate"

    def __str__(self) -> str:
        return "paused" if self.paused else "open"


class WorkerBeat(models.Model):
    """The last sign of life of one worker."""

    name = models.CharField(max_length=200, unique=True)  # host, process namespace, process and its birth
    generation = models.PositiveIntegerField()  # of the workers, when it began
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "files_workers"

    def __str__(self) -> str:
        return self.name


class Level(models.TextChoices):
    """How much a log line matters."""

    INFO = "INFO"
    WARN = "WARN"
    CRITICAL = "CRITICAL"
    TIME = "TIME"  #: how long something took


class LogLine(models.Model):
    """One line of the live log."""

    job = models.ForeignKey(Job, models.CASCADE, null=True, related_name="lines")
    time = models.DateTimeField(db_index=True)
    level = models.CharField(max_length=8, choices=Level.choices)
    text = models.TextField()
    live = models.BooleanField(default=True)  # not yet cleared from the live log

    class Meta:
        db_table = "files_loglines"

    def __str__(self) -> str:
        return f"{self.time:%Y-%m-%dT%H:%M:%SZ} {self.level} {self.text}"
