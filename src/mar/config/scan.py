"""Section `Scan`: overscan and prescan."""

from typing import Literal

from mar.config.base import Section, item

FitFunction = Literal["polynomial", "spline", "running", "rows", "none"]
Interpolation = Literal["median", "mean", "linear"]


class Scan(Section):
    """Overscan correction and trimming. X strips stand beside the science columns, Y strips above or below."""

    use_overscan: bool = item(True, "Use the overscan strips")
    use_prescan: bool = item(False, "Use the prescan strips")
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
    ovsc_iden_x: str = item("OVSCX", "Name of the overscan columns in the header")
    ovsc_iden_y: str = item("OVSCY", "Name of the overscan rows in the header")
    prsc_iden_x: str = item("PRSCX", "Name of the prescan columns in the header")
    prsc_iden_y: str = item("PRSCY", "Name of the prescan rows in the header")
    fitfunction_x: FitFunction = item("polynomial", "Model of the level along the overscan columns")
    fitfunction_y: FitFunction = item("polynomial", "Model of the level along the overscan rows")
    polydeg_x: int = item(1, "Degree of the polynomial along the overscan columns", ge=0, le=9)
    polydeg_y: int = item(1, "Degree of the polynomial along the overscan rows", ge=0, le=9)
    direction: Literal["x", "y", "xy"] = item("x", "Which correction comes first")
    xcorrect: bool = item(True, "Correct along x")
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
    overscan_correct_ind_pixels_x: bool = item(True, "Reject single bad pixels of the overscan columns")
    overscan_correct_ind_pixels_y: bool = item(True, "Reject single bad pixels of the overscan rows")
