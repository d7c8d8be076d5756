"""Raw and processed frames."""

from django.db import models

from marserver.archive.models.base import Number, Provenance, Remarks, Statistics


class FrameType(models.TextChoices):
    """What a frame is; the words of the header's frame-type rules."""

    BIAS = "BIAS"
    FLAT = "FLAT"
    SCI = "SCI"
    PROCESSED = "PROCESSED"


class FrameStatus(models.IntegerChoices):
    """How far the reduction of a science frame came."""

    RAW = 0  #: nothing done
    FLATTENED = 1  #: overscan, bias and flat done
    DEFRINGED = 2  #: fringe subtracted where the band has any
    MASKED = 3  #: bad, saturated, cosmic-ray and trail pixels marked
    SOLVED = 4  #: astrometry
    READY = 5  #: catalogue: ready to coadd


class IndividualFile(Statistics, Provenance, Remarks):
    """A raw frame found by a scan, or a processed science frame."""

    obs_date = models.DateTimeField(db_column="obsDate")
    night = models.DateField()
    field = models.CharField(max_length=200, default="", blank=True)
    file_type = models.CharField(max_length=10, choices=FrameType.choices)
    exptime = Number(null=True)  # seconds
    band = models.CharField(max_length=30, null=True)
    file_name = models.CharField(max_length=300)  # found by substring too: marserver.archive.search
    file_path = models.CharField(max_length=500)
    ovfile = models.CharField(max_length=500, null=True)
    ovthumb = models.CharField(max_length=500, null=True)
    thumb = models.CharField(max_length=500, null=True)
    moonmean = Number(null=True)
    bpmask = models.CharField(max_length=500, null=True)
    processed_date = models.DateTimeField(null=True, db_column="processedDate")
    status = models.PositiveSmallIntegerField(default=FrameStatus.RAW)
    crval1 = Number(null=True)  # degrees
    crval2 = Number(null=True)
    failed_step = models.CharField(max_length=100, default="", blank=True)
    error = models.TextField(default="", blank=True)
    superflat = models.ForeignKey(
        "archive.Superflat", models.SET_NULL, null=True, related_name="frames", db_index=False
    )
    raw_sci = models.ForeignKey("self", models.PROTECT, null=True, related_name="+", db_index=False)
    processed = models.ForeignKey("self", models.SET_NULL, null=True, related_name="+", db_index=False)
    sci = models.ForeignKey("archive.Sci", models.SET_NULL, null=True, related_name="+", db_index=False)

    class Meta:
        db_table = "files_individualfiles"
        constraints = [models.UniqueConstraint(fields=["file_name"], name="one_frame_per_name")]
        indexes = [  # each costs at every insert: docs/size.md says what asks for it
            models.Index(fields=["obs_date"], name="frame_date"),
            models.Index(fields=["file_type", "band", "obs_date", "isvalid"], name="frame_type_band_date"),
            models.Index(fields=["file_type", "status", "isvalid"], name="frame_type_status"),
            models.Index(  # all that the board counts: the frames themselves are not read
                fields=["field", "band", "file_type", "status", "isvalid", "failed_step"],
                name="frame_field_band",
            ),
            models.Index(fields=["obs_date"], condition=~models.Q(failed_step=""), name="frame_failed_date"),
            models.Index(fields=["obs_date"], condition=models.Q(isvalid=False), name="frame_invalid_date"),
            models.Index(fields=["raw_sci"], condition=models.Q(raw_sci__isnull=False), name="frame_raw_sci"),
            models.Index(
                fields=["superflat"], condition=models.Q(superflat__isnull=False), name="frame_superflat"
            ),
        ]

    def __str__(self) -> str:
        return self.file_name


class Sci(models.Model):
    """What went into a processed frame and what came out beside it."""

    individual_catalog = models.CharField(max_length=500, null=True)
    sciraw = models.OneToOneField(IndividualFile, models.CASCADE, related_name="+")
    master_bias_used = models.ForeignKey(
        "archive.BiasBlock", models.SET_NULL, null=True, db_column="masterBiasUsed_id", related_name="+"
    )
    master_flat_used = models.ForeignKey(
        "archive.FlatByFilter", models.SET_NULL, null=True, db_column="masterFlatUsed_id", related_name="+"
    )
    sextractor_out = models.JSONField(default=list, db_column="sextractorOut")  # paths
    scamp_out = models.JSONField(default=list, db_column="scampOut")
    swarp_out = models.JSONField(default=list, db_column="swarpOut")
    # The astrometric solution, as the header's MAR AST cards have it (ours)
    ast_stars = models.PositiveIntegerField(null=True)
    ast_rms = Number(null=True)  # mas per axis, to the reference
    ast_internal_rms = Number(null=True)  # mas per axis, to the other frames of a common solution
    ast_east = Number(null=True)  # arcsec, true minus rough pointing
    ast_north = Number(null=True)
    ast_chi2 = Number(null=True)  # reduced
    ast_error = Number(null=True)  # mas, formal, of a position
    ast_chance = Number(null=True)  # log10 of the false-alarm probability
    ast_joint = models.PositiveIntegerField(null=True)  # frames solved together; 1 is alone

    class Meta:
        db_table = "files_sci"

    def __str__(self) -> str:
        return f"sci {self.pk}"
