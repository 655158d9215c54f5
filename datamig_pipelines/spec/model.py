"""The base of everything a file may say."""

from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator


class SpecModel(BaseModel):
    """A frozen model that refuses unknown keys and templates."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _no_templates(cls, data: Any) -> Any:
        if isinstance(data, dict):
            for key, value in data.items():
                if isinstance(value, str) and "{{" in value:
                    raise ValueError(
                        f"{key}: templates are not rendered here; "
                        "name an environment variable in url_env"
                    )
        return data
