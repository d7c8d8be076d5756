"""Blocks of calibration and science frames, and fringe frames."""

from django.db import models

from marserver.archive.models.base import Block, Dates, Master, Provenance, Remarks
from marserver.archive.models.frames import IndividualFile


class BiasBlock(Master):
    """Bias frames, their master and its hot-pixel mask."""

    bias = models.ManyToManyField(IndividualFile, db_table="files_biasblock_bias", related_name="biasblocks")

    class Meta:
        db_table = "files_biasblock"

    def __str__(self) -> str:
        return f"biasblock {self.pk}"


class FlatByFilter(Master):
    """One band's flats, their master and its cold-pixel mask."""

    band = models.CharField(max_length=30, db_index=True)
    flats = models.ManyToManyField(
        IndividualFile, db_table="files_flatbyfilter_flats", related_name="flatbyfilters"
    )
    bias_used = models.ForeignKey(BiasBlock, models.SET_NULL, null=True, related_name="+")

    class Meta:
        db_table = "files_flatbyfilter"

    def __str__(self) -> str:
        return f"flatbyfilter {self.pk} {self.band}"


class FlatsBlock(Block):
    """The flats of all bands at once."""

    flats_by_filter = models.ManyToManyField(
        FlatByFilter, db_table="files_flatsblock_flatsbyfilter", related_name="flatblocks"
    )

    class Meta:
        db_table = "files_flatsblock"

    def __str__(self) -> str:
        return f"flatblock {self.pk}"


class SciByFilter(Block):
    """One band's science frames, their processed frames and tiles."""

    band = models.CharField(max_length=30, db_index=True)
    scies = models.ManyToManyField(
        IndividualFile, db_table="files_scibyfilter_scies", related_name="scibyfilters"
    )
    processed = models.ManyToManyField(
        IndividualFile, db_table="files_scibyfilter_processed", related_name="processed_in"
    )
    finaltiles = models.ManyToManyField(
        "archive.FinalTile", db_table="files_scibyfilter_finaltiles", related_name="scibyfilters"
    )

    class Meta:
        db_table = "files_scibyfilter"

    def __str__(self) -> str:
        return f"scibyfilter {self.pk} {self.band}"


class SciBlock(Block):
    """The science frames of all bands at once."""

    sci_by_filter = models.ManyToManyField(
        SciByFilter, db_table="files_sciblock_scibyfilter", related_name="sciblocks"
    )

    class Meta:
        db_table = "files_sciblock"

    def __str__(self) -> str:
        return f"sciblock {self.pk}"


class Superflat(Dates, Remarks, Provenance):
    """A fringe frame of one band."""

    band = models.CharField(max_length=30, db_index=True)
    status = models.PositiveSmallIntegerField(default=0, db_index=True)
    super_flat_path = models.CharField(max_length=500, null=True, db_column="superFlatPath")
    super_flat_thumb = models.CharField(max_length=500, null=True, db_column="superFlatThumb")
    files = models.JSONField(default=list)  # paths of the processed frames it is made from

    class Meta:
        db_table = "files_superflat"

    def __str__(self) -> str:
        return f"superflat {self.pk} {self.band}"
