"""The settings of evals."""

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict


class EvalSettings(BaseSettings):
    """Read from the environment (`ORIENTA_…`) and from `.env`.

    Args:
        data: the folder of shared data sets; what needs one is skipped where it is absent.
        home: where what is made once and used again is kept; git ignores it.
    """

    model_config = SettingsConfigDict(env_prefix="ORIENTA_", env_file=".env", extra="ignore")

    data: Path = Path("../shared/data")
    home: Path = Path(".orienta")
