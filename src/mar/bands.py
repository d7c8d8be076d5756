"""The filters of a survey, as a camera file describes them."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

SPLUS_BANDS = ("U", "F378", "F395", "F410", "F430", "G", "F515", "R", "F660", "I", "F861", "Z")
"""The twelve filters of S-PLUS, in order of wavelength."""


class Band(BaseModel):
    """One filter."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, description="Name in products, requests and folders")
    aliases: tuple[str, ...] = Field((), description="Other spellings in the header")
    wavelength_nm: float = Field(alias="wavelength", gt=0, description="Central wavelength in nm")
    width_nm: float = Field(alias="width", gt=0, description="Width in nm")
    zeropoint_adu_s: float = Field(alias="zeropoint", description="AB magnitude that gives 1 ADU/s")
    channel: Literal["R", "G", "B", ""] = Field("", description="Channel of the colour image")
    fringed: bool = Field(False, description="The sky shows fringes in this band")

    def answers_to(self, word: str) -> bool:
        """Whether a header's `word` means this band."""
        return word.strip() in (self.name, *self.aliases)
