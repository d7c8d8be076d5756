"""Coadded tiles and colour images: the survey's products."""

from django.db import models
from django.db.models import F
from django.db.models.functions import Abs, Greatest

from marserver.archive.models.base import Number, Provenance, Remarks, Statistics
from marserver.archive.models.frames import IndividualFile


class FinalTile(Statistics, Provenance, Remarks):
    """The coadded image of one field and band."""

    field = models.CharField(max_length=200)
    band = models.CharField(max_length=30)
    file_path = models.CharField(max_length=500, null=True)
    weight_path = models.CharField(max_length=500, null=True)
    count_path = models.CharField(max_length=500, null=True)
    catalog_path = models.CharField(max_length=500, null=True)
    file_thumb = models.CharField(max_length=500, null=True)
    weight_thumb = models.CharField(max_length=500, null=True)
    date = models.DateTimeField(null=True, db_index=True)  # of its earliest frame
    status = models.PositiveSmallIntegerField(default=0)
    flag = models.SmallIntegerField(default=-1)  # -1 not reviewed, 0 good, else bits
    updated_at = models.DateTimeField(auto_now=True)
    crval1 = Number(null=True)  # degrees
    crval2 = Number(null=True)
    ncombine = models.PositiveIntegerField(null=True)
    zeropoint = Number(null=True)  # mag of 1 ADU/s
    fwhm = Number(null=True)  # arcsec
    ellipticity = Number(null=True)
    depth = Number(null=True)  # mag, 5 sigma
    astrometric_rms = Number(null=True)  # arcsec per axis
    composed_by = models.ManyToManyField(
        IndividualFile, db_table="files_finaltiles_composedby", related_name="finaltiles"
    )

    class Meta:
        db_table = "files_finaltiles"
        constraints = [models.UniqueConstraint(fields=["field", "band"], name="one_tile_per_field_and_band")]
        indexes = [
            models.Index(fields=["status", "isvalid", "field", "band"], name="tile_done"),
            models.Index(fields=["updated_at"], name="tile_updated"),
        ]

    def __str__(self) -> str:
        return f"{self.field} {self.band}"


class FieldImage(Provenance, Remarks):
    """The colour image of a field."""

    field = models.CharField(max_length=200)
    file_path = models.CharField(max_length=500, null=True)
    preview_path = models.CharField(max_length=500, null=True)
    flag = models.SmallIntegerField(default=-1)
    updated_at = models.DateTimeField(auto_now=True, db_index=True)

    class Meta:
        db_table = "files_fieldimages"
        constraints = [models.UniqueConstraint(fields=["field"], name="one_image_per_field")]

    def __str__(self) -> str:
        return self.field


FARTHEST = Greatest(Abs(F("east_mas")), Abs(F("north_mas")))  # how far two bands lie apart, along one axis


class BandPair(models.Model):
    """How two bands of a field lie to each other: positions of the second band minus those of the first."""

    field = models.CharField(max_length=200)
    first_band = models.CharField(max_length=30)
    second_band = models.CharField(max_length=30)
    east_mas = Number(null=True)  # median, on the sky
    north_mas = Number(null=True)
    rms_mas = Number(null=True)  # robust, of single stars, mean of both axes
    error_mas = Number(null=True)  # of the medians, per axis
    stars = models.PositiveIntegerField()  # in common

    class Meta:
        db_table = "files_bandpairs"
        constraints = [
            models.UniqueConstraint(
                fields=["field", "first_band", "second_band"], name="one_row_per_pair_of_bands"
            )
        ]
        indexes = [
            models.Index(FARTHEST.desc(), name="pair_farthest", condition=models.Q(east_mas__isnull=False))
        ]

    def __str__(self) -> str:
        return f"{self.field} {self.first_band} {self.second_band}"
