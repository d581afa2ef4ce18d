"""The pages of other packages, with the audience of each: they cannot declare it themselves."""

from patients.privacy.pages import Audience

BY_NAME: dict[str, Audience] = {}
BY_NAMESPACE = {"admin": Audience.STAFF}
