"""The one table of the audit."""

from django.db import models


class Change(models.Model):
    """One change of one object; the database itself refuses to alter or delete it."""

    time = models.DateTimeField(db_index=True)
    user = models.CharField(max_length=150)  # who asked; empty for the server itself
    action = models.CharField(max_length=50)  # the type that was asked for: "setflag", "process" ...
    kind = models.CharField(max_length=50)  # of the object: "finaltiles", "configuration", "user" ...
    target = models.CharField(max_length=500)  # its id, or its name where it has none
    before = models.JSONField(default=dict)  # the values that changed, {name: value}
    after = models.JSONField(default=dict)

    class Meta:
        db_table = "files_changes"
        indexes = [models.Index(fields=["kind", "target", "-id"], name="change_of_object")]

    def __str__(self) -> str:
        who = self.user or "the server"
        return f"{self.time:%Y-%m-%dT%H:%M:%SZ} {who} {self.action} {self.kind} {self.target}"
