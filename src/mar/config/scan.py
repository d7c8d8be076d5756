"""Section `Scan`: overscan and prescan."""

from typing import Literal

from mar.config.base import Section, item

FitFunction = Literal["polynomial", "spline", "running", "rows", "none"]
Interpolation = Literal["median", "mean", "linear"]
XStrip = Literal["OVSCX", "PRSCX"]
YStrip = Literal["OVSCY", "PRSCY"]
MissingStrip = Literal["strict", "useone", "allownotuse"]


class Scan(Section):
    """Overscan and trimming. X strips stand beside the science section, Y strips above or below."""

    use_overscan: bool = item(True, "Use overscan strips at all, those of x and y alike")
    use_prescan: bool = item(True, "Use prescan strips at all, those of x and y alike")
    use_overscan_x: bool = item(True, "Use the overscan columns")
    use_prescan_x: bool = item(False, "Use the prescan columns")
    use_overscan_y: bool = item(False, "Use the overscan rows")
    use_prescan_y: bool = item(False, "Use the prescan rows")
    ovsc_npixels_x: int = item(
        8, "Rows averaged into one superpixel of the overscan columns", unit="pixel", ge=1
    )
    ovsc_npixels_y: int = item(
        8, "Columns averaged into one superpixel of the overscan rows", unit="pixel", ge=1
    )
    ovsc_iden_x: XStrip = item("OVSCX", "Which strip of the camera serves as overscan columns")
    ovsc_iden_y: YStrip = item("OVSCY", "Which strip of the camera serves as overscan rows")
    prsc_iden_x: XStrip = item("PRSCX", "Which strip of the camera serves as prescan columns")
    prsc_iden_y: YStrip = item("PRSCY", "Which strip of the camera serves as prescan rows")
    fitfunction_x: FitFunction = item(
        "polynomial", "Model of the level along the columns; rows: each superpixel its own, none: one level"
    )
    fitfunction_y: FitFunction = item(
        "polynomial", "Model of the level along the rows; rows: each superpixel its own, none: one level"
    )
    polydeg_x: int = item(1, "Degree of the polynomial along the overscan columns", ge=0, le=9)
    polydeg_y: int = item(1, "Degree of the polynomial along the overscan rows", ge=0, le=9)
    direction: Literal["x", "y"] = item("x", "Which strips are measured first where both are used")
    xcorrect: bool = item(True, "Use the x strips at all, overscan and prescan")
    cor: bool = item(True, "Subtract the model; false only trims")
    overscan_fix_bad_pixels_columns_x: bool = item(
        True, "Find and replace bad columns of the overscan columns"
    )
    overscan_fix_bad_pixels_columns_y: bool = item(True, "Find and replace bad rows of the overscan rows")
    overscan_interpolation_method_x: Interpolation = item("median", "What replaces a bad overscan column")
    overscan_interpolation_method_y: Interpolation = item("median", "What replaces a bad overscan row")
    ccd_order: tuple[tuple[int, ...], ...] = item(
        ((1, 2, 3, 4, 5, 6, 7, 8), (9, 10, 11, 12, 13, 14, 15, 16)),
        "Grid of outputs; the camera's own order is used",
        unused=True,
    )
    overscan_correct_ind_pixels_x: bool = item(
        True, "Leave out single pixels of the overscan columns beyond 5 sigma"
    )
    overscan_correct_ind_pixels_y: bool = item(
        True, "Leave out single pixels of the overscan rows beyond 5 sigma"
    )
    missing_strip: MissingStrip = item(
        "strict",
        "Where an amplifier lacks a strip that is asked for: strict refuses the frame, useone takes the "
        "other strip of that direction, allownotuse goes on without",
    )
    amplifier_gain: bool = item(
        False,
        "Bring all amplifiers to the camera's gain: each times its own gain over the camera's; masters must "
        "be made so too",
    )
    warn_drift: float = item(
        1.0, "Drift that the overscan model leaves along an amplifier and that is warned of", unit="ADU", gt=0
    )
