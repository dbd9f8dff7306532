"""Errors as Bedrock answers them, with the words it uses: the words tell clients which quota was full."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

TOO_MANY_REQUESTS = "Too many requests, please wait before trying again."
TOO_MANY_TOKENS = "Too many tokens, please wait before trying again."
TOO_MANY_TOKENS_A_DAY = "Too many tokens per day, please wait before trying again."


@dataclass(slots=True)
class ServiceError(Exception):
    """An error of the service: its name, HTTP status, message, and members beside the message."""

    code: str
    status: int
    message: str
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def content(self) -> dict[str, Any]:
        """The error's JSON body."""
        return {"message": self.message, **self.details}


def validation(message: str) -> ServiceError:
    """A request that the service refuses as it stands."""
    return ServiceError("ValidationException", 400, message)


def throttled(message: str) -> ServiceError:
    """A request over a quota."""
    return ServiceError("ThrottlingException", 429, message)


def malformed() -> ServiceError:
    """A body that is not what the operation takes."""
    return validation("Malformed input request, please reformat your input and try again.")


def wrong_key() -> ServiceError:
    """A bearer key that is missing or not the right one."""
    return ServiceError("AccessDeniedException", 403, "Authentication failed: Please make sure your API Key is valid.")


def unknown_operation() -> ServiceError:
    """A path that is no operation."""
    return ServiceError("UnknownOperationException", 404, "The requested operation is not recognized by the service.")


SERVICE_QUOTA = ServiceError("ServiceQuotaExceededException", 400, "Your request exceeds the service quota for your account.")
ACCESS_DENIED = ServiceError("AccessDeniedException", 403, "You don't have access to the model with the specified model ID.")
EXPIRED = ServiceError("ExpiredTokenException", 403, "The security token included in the request is expired")
NOT_FOUND = ServiceError("ResourceNotFoundException", 404, "The specified model could not be found.")
INVALID_MODEL = validation("The provided model identifier is invalid.")
MODEL_TIMEOUT = ServiceError(
    "ModelTimeoutException", 408, "The request took too long to process. Processing time exceeded the model timeout length."
)
MODEL_NOT_READY = ServiceError("ModelNotReadyException", 429, "The model is not ready. Wait and try your request again.")
MODEL_ERROR = ServiceError(
    "ModelErrorException",
    424,
    "The request failed due to an error while processing the model.",
    {"originalStatusCode": 500, "resourceName": "model"},
)
MODEL_STREAM_ERROR = ServiceError(
    "ModelStreamErrorException",
    424,
    "An error occurred while streaming the response. Retry your request.",
    {"originalStatusCode": 500, "originalMessage": "the model stopped"},
)
INTERNAL = ServiceError(
    "InternalServerException", 500, "The system encountered an unexpected error during processing. Try your request again."
)
UNAVAILABLE = ServiceError("ServiceUnavailableException", 503, "Bedrock is unable to process your request.")
