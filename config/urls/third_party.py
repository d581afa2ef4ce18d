"""The pages of other packages, with the audience of each: they cannot declare it themselves."""

from patients.privacy.pages import Audience

BY_NAME = {
    "account_login": Audience.PUBLIC,
    "account_logout": Audience.PUBLIC,
    "account_inactive": Audience.PUBLIC,
    "account_reset_password": Audience.PUBLIC,
    "account_reset_password_done": Audience.PUBLIC,
    "account_reset_password_from_key": Audience.PUBLIC,
    "account_reset_password_from_key_done": Audience.PUBLIC,
}
BY_NAMESPACE = {"admin": Audience.STAFF}
