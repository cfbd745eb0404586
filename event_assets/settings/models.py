"""The settings of models: where what they learn, and from what, is said."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings


class ModelSettings(BaseSettings):
    """What `Settings` has for models and the features that they learn from."""

    models_dir: Path | None = Field(
        None,
        description="Folder of models, and in `features` of what they learn from. Default: the one that is shipped.",
    )

    @property
    def models(self) -> Path:
        """Folder of the models in force."""
        return self.models_dir or Path(__file__).parents[1] / "rules" / "models"
