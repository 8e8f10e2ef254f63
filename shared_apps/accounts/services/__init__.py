"""The only writer of people, sessions and secrets. One module per noun; import from here.

What strangers call (signing in, links, refreshing) is declared a step: a proof stands there in the
place of a permission. So is what people do with their own account, where being that person is it.
"""

from shared_apps.accounts.services.api_keys import (
    ShownKey,
    issue_api_key,
    require_place,
    revoke_all_keys,
    revoke_api_key,
    rotate_api_key,
)
from shared_apps.accounts.services.both_factors import require_both_factors
from shared_apps.accounts.services.credentials import (
    change_password,
    mail_reset_link,
    request_password_reset,
    require_credentials,
    reset_password,
)
from shared_apps.accounts.services.endings import end_all_sessions
from shared_apps.accounts.services.expiry import delete_expired
from shared_apps.accounts.services.invitations import (
    accept_invitation,
    invite_user,
    resend_invitation,
    withdraw_invitation,
)
from shared_apps.accounts.services.login_codes import issue_login_code, redeem_login_code
from shared_apps.accounts.services.people import (
    NewUser,
    create_user,
    create_users,
    deactivate_user,
    reactivate_user,
    update_profile,
)
from shared_apps.accounts.services.second_factors import (
    TotpEnrolment,
    begin_totp_enrolment,
    confirm_totp_enrolment,
    enrol_at_once,
    give_up_second_factor,
    replace_recovery_codes,
    reset_second_factor,
    verify_code,
    verify_second_factor,
)
from shared_apps.accounts.services.sessions import (
    SignIn,
    end_other_sessions,
    end_session,
    end_sessions_of,
    name_session,
    refresh_session,
    sign_in,
    sign_out,
    start_session,
)
from shared_apps.accounts.services.sign_in_codes import send_sign_in_code
from shared_apps.accounts.services.sign_in_policies import (
    add_sign_in_policy,
    change_sign_in_policy,
    remove_sign_in_policy,
)
from shared_apps.accounts.services.stepping_up import change_security_settings, step_up
from shared_apps.accounts.services.super_admins import create_super_admin

__all__ = [
    "NewUser",
    "ShownKey",
    "SignIn",
    "TotpEnrolment",
    "accept_invitation",
    "add_sign_in_policy",
    "begin_totp_enrolment",
    "change_password",
    "change_security_settings",
    "change_sign_in_policy",
    "confirm_totp_enrolment",
    "create_super_admin",
    "create_user",
    "create_users",
    "deactivate_user",
    "delete_expired",
    "end_all_sessions",
    "end_other_sessions",
    "end_session",
    "end_sessions_of",
    "enrol_at_once",
    "give_up_second_factor",
    "invite_user",
    "issue_api_key",
    "issue_login_code",
    "mail_reset_link",
    "name_session",
    "reactivate_user",
    "redeem_login_code",
    "refresh_session",
    "remove_sign_in_policy",
    "replace_recovery_codes",
    "request_password_reset",
    "require_both_factors",
    "require_credentials",
    "require_place",
    "resend_invitation",
    "reset_password",
    "reset_second_factor",
    "revoke_all_keys",
    "revoke_api_key",
    "rotate_api_key",
    "send_sign_in_code",
    "sign_in",
    "sign_out",
    "start_session",
    "step_up",
    "update_profile",
    "verify_code",
    "verify_second_factor",
    "withdraw_invitation",
]
