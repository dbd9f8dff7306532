"""What S3 refuses, in words that say what to do."""

from __future__ import annotations

from botocore.exceptions import ClientError

from fmbench.core.failures import Refused
from fmbench.core.neutral import discreet, neutral

_RENEW = "the AWS credentials are not, or no longer, good: renew them"
_CURES = {
    "RequestTimeTooSkewed": "the clock of this machine is wrong: set it",
    "RequestExpired": "the clock of this machine is wrong, or the way to S3 very slow: set the clock, and try again",
    "ExpiredToken": _RENEW,
    "ExpiredTokenException": _RENEW,
    "TokenRefreshRequired": _RENEW,
    "InvalidToken": _RENEW,
    "InvalidAccessKeyId": _RENEW,
    "SignatureDoesNotMatch": "the secret key is not that of the access key, or a proxy changes requests: check AWS credentials",
    "AuthorizationHeaderMalformed": "the bucket is in another region: name its region in AWS_REGION",
    "InvalidObjectState": "the object is archived: restore it first",
    "NoSuchUpload": "somebody took away what was stored of it so far: try again",
    "EntityTooLarge": "it is larger than what this store takes: give another output",
    "InsufficientStorage": "the store is full: make room there",
    "QuotaExceeded": "the store is full: make room there",
    "MethodNotAllowed": "what answers there does not take this: check AWS_ENDPOINT_URL_S3, and the policy of the bucket",
    "SlowDown": "S3 is too busy: try again in a while",
    "NotImplemented": "what answers there cannot do this: check AWS_ENDPOINT_URL_S3",
}


def status_of(error: ClientError) -> int:
    """The HTTP status of what S3 said; 0: none."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def translated(error: ClientError, address: str) -> Exception:
    """What a store raises for ``error``: ``FileNotFoundError``, ``FileExistsError``, else ``Refused`` with the cure."""
    code, status = neutral(str(error.response.get("Error", {}).get("Code", "?")), 60), status_of(error)
    if code == "NoSuchBucket":
        return Refused(f"{address}: there is no such bucket; make it, or give another s3:// address.")
    if status == 404 and code not in _CURES:
        return FileNotFoundError(f"{address}: there is no such object")
    if status == 412:
        return FileExistsError(f"{address}: exists already")
    return Refused(f"{address}: S3 refused ({code}, HTTP {status}); {_cure(error, code, status)}.")


def _cure(error: ClientError, code: str, status: int) -> str:
    if status == 301:
        region = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("x-amz-bucket-region", "another region")
        return f"the bucket is in {one_line(region)}: name its region in AWS_REGION"
    if code in _CURES:
        return _CURES[code]
    if code.startswith("KMS."):
        return "the bucket's key cannot be used: the credentials need kms:GenerateDataKey and kms:Decrypt for it"
    return "the credentials need s3:PutObject, s3:GetObject and s3:ListBucket there" if status in (401, 403) else "try again"


def one_line(said: object) -> str:
    """What something foreign said, without secrets and on one line."""
    return " ".join(discreet(str(said)).split())
