"""Columns that several tables share."""

import math
from typing import Any

from django.db import models


class Number(models.FloatField):
    """A number that is known, or null: never NaN or infinity, which an answer could not hold."""

    def get_prep_value(self, value: Any) -> Any:
        """What is written."""
        number = super().get_prep_value(value)
        return number if not isinstance(number, float) or math.isfinite(number) else None

    def deconstruct(self) -> Any:
        """For migrations it is the usual column."""
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.FloatField", args, kwargs


class Statistics(models.Model):
    """The five statistics of an image, in its own counts."""

    modeavg = Number(null=True)
    medianavg = Number(null=True)
    noiseavg = Number(null=True)
    medianrms = Number(null=True)
    noiserms = Number(null=True)

    class Meta:
        abstract = True


class Provenance(models.Model):
    """How a product was made: its inputs with their checksums, the configuration, the version, the job."""

    inputs = models.JSONField(default=list)  # [{"path": ..., "checksum": ...}, ...]
    config_hash = models.CharField(max_length=64, default="", blank=True)
    version = models.CharField(max_length=64, default="", blank=True)
    job = models.BigIntegerField(null=True)  # a number, not a key: jobs may be pruned, products stay
    checksum = models.CharField(max_length=64, default="", blank=True)

    class Meta:
        abstract = True


class Remarks(models.Model):
    """What an operator says of a row."""

    comments = models.CharField(max_length=300, default="", blank=True)
    isvalid = models.BooleanField(default=True)

    class Meta:
        abstract = True


class Dates(models.Model):
    """The days that a block was asked for, both included."""

    block_start_date = models.DateField(db_column="blockStartDate", db_index=True)
    block_end_date = models.DateField(db_column="blockEndDate", db_index=True)

    class Meta:
        abstract = True


class Block(Dates, Remarks):
    """A set of frames: status 0 to do, 1 done."""

    status = models.PositiveSmallIntegerField(default=0, db_index=True)

    class Meta:
        abstract = True


class Master(Block, Statistics, Provenance):
    """A block whose frames were combined into a master and a mask beside it."""

    master_path = models.CharField(max_length=500, null=True, db_column="masterPath")
    master_thumb = models.CharField(max_length=500, null=True, db_column="masterThumb")
    mask_path = models.CharField(max_length=500, null=True, db_column="maskPath")
    mask_thumb = models.CharField(max_length=500, null=True, db_column="maskThumb")

    class Meta:
        abstract = True
