"""The one door to fhir.resources: R4B's models, whose element sets are R4's for all we build.

Imported when first asked for, because the library is heavy. (The package's root would be R5.)
"""

from __future__ import annotations

from functools import cache
from typing import Any


@cache
def model(resource_type: str) -> Any:
    """Return the model of a resource type. Raises LookupError for what is none."""
    from fhir.resources.R4B import get_fhir_model_class  # heavy

    try:
        return get_fhir_model_class(resource_type)
    except ValueError:
        raise LookupError(resource_type) from None


def build(resource: dict[str, Any]) -> None:
    """Build a resource from its JSON, which judges its structure.

    Raises LookupError for an unknown type and ValueError for a wrong structure; its text may
    repeat values, so it is not to be shown. Text where a number belongs passes.
    """
    kind = resource.get("resourceType")
    if not isinstance(kind, str):
        raise LookupError("resourceType")
    model(kind).model_validate(resource)
