"""What can go wrong, named by who can put it right.

    WorkbenchError
    ├── Invalid                     the request makes no sense as it stands
    │   ├── InvalidRequest          it cannot even be read
    │   ├── PayloadTooLarge         it is too large to be read
    │   ├── RangeNotSatisfiable     the part that is asked for lies beyond the end
    │   ├── InvalidInput            the parameters are not the ones the agent declares
    │   ├── InvalidAgentConfig      the notebook cannot be an agent
    │   └── IdempotencyMismatch     the key was used before, for something else
    ├── Denied                      the caller may not do this
    │   ├── Unauthenticated         nobody knows who the caller is
    │   ├── InsufficientPermissions the caller's role does not allow it
    │   └── AgentAccessDenied       the agent is somebody else's
    ├── NotFound                    no such thing, or none the caller may know of
    │   ├── AgentNotFound
    │   ├── ModelNotFound           no such language model, or none that may be asked
    │   └── NotRecorded             the cassette holds no answer to this question
    ├── MethodNotAllowed            the thing is there, but not for this verb
    ├── Conflict                    a sensible request at the wrong moment
    │   ├── IllegalMove             that stage or status does not follow this one
    │   ├── DuplicateAgentName
    │   ├── VersionConflict         the version number is taken
    │   ├── ChecksFailed            the agent's own cases did not pass
    │   ├── PreconditionFailed      it was changed by somebody else meanwhile
    │   └── PreconditionRequired    say which state you are changing
    ├── ResourceExhausted           allowed, but not this much, or not now
    │   └── BudgetExceeded          what may be spent on language models is spent
    ├── ExecutionFailed             the run was carried out and failed
    │   └── ExecutionTimeout        it did not end in time
    └── Unavailable                 something we lean on did not answer
        ├── AgentCreationFailed     the agent could not be kept
        ├── HomeInUse               another process owns this home
        ├── HomeUnreadable          what lies in this home is not ours, or of a newer kind
        ├── ModelSilent             a language model was asked and did not answer
        └── KernelLost              a kernel could not be had, or is gone

An agent whose own code raises is not an error here: it is a run that failed. Only a caller who
waits for the result of such a run is told by an `ExecutionFailed`.
"""

from __future__ import annotations


class WorkbenchError(Exception):
    """Base of every error the workbench raises on purpose.

    `code` is for programs and never changes; `str(error)` is for people and says what to do;
    `details` holds whatever else a caller needs to put it right, as plain JSON values.
    """

    code = "Internal"

    def __init_subclass__(cls) -> None:
        """A leaf's code is its own name: the names are the contract."""
        cls.code = cls.__name__

    def __init__(self, message: str, **details: object) -> None:
        super().__init__(message)
        self.details = details


class Invalid(WorkbenchError):
    """The request makes no sense as it stands."""


class InvalidRequest(Invalid):
    """The request cannot be read: bad JSON, an unknown option, a malformed header."""


class PayloadTooLarge(Invalid):
    """The request is larger than what is accepted."""


class RangeNotSatisfiable(Invalid):
    """The part of a file that is asked for lies beyond its end."""


class InvalidInput(Invalid):
    """The parameters are not the ones the agent declares."""


class InvalidAgentConfig(Invalid):
    """The notebook, its metadata or its source cannot be an agent."""


class IdempotencyMismatch(Invalid):
    """The idempotency key was used before with another request."""


class Denied(WorkbenchError):
    """The caller may not do this."""


class Unauthenticated(Denied):
    """The request carries no token, or none that is known and still good."""


class InsufficientPermissions(Denied):
    """The caller's role does not allow this to anyone who holds it."""


class AgentAccessDenied(Denied):
    """The caller may use this agent but not change it or look behind it."""


class NotFound(WorkbenchError):
    """There is no such thing, or none the caller may know of."""


class AgentNotFound(NotFound):
    """There is no such agent, or none the caller may know of."""


class ModelNotFound(NotFound):
    """There is no such language model, or it may not be asked."""


class NotRecorded(NotFound):
    """The cassette holds no answer to this question; the details show the nearest that it has."""


class MethodNotAllowed(WorkbenchError):
    """The path exists, the method on it does not."""


class Conflict(WorkbenchError):
    """A sensible request at the wrong moment."""


class IllegalMove(Conflict):
    """That stage or status does not follow the present one."""


class DuplicateAgentName(Conflict):
    """The owner has an agent of that name already."""


class VersionConflict(Conflict):
    """The agent has a version of that number already."""


class ChecksFailed(Conflict):
    """A case of the agent failed, so it was not published."""


class PreconditionFailed(Conflict):
    """What the caller meant to change has been changed since the caller read it."""


class PreconditionRequired(Conflict):
    """The caller must say which state it means to change (`If-Match`)."""


class ResourceExhausted(WorkbenchError):
    """The queue is full or a quota is used up; later, or with less, it may work."""


class BudgetExceeded(ResourceExhausted):
    """What a run, an agent or a user may spend on language models is spent."""


class ExecutionFailed(WorkbenchError):
    """The run was carried out and did not complete."""


class ExecutionTimeout(ExecutionFailed):
    """The run was stopped because its time was up."""


class Unavailable(WorkbenchError):
    """Something the workbench leans on did not answer; nothing is wrong with the request."""


class AgentCreationFailed(Unavailable):
    """The agent is sound but could not be kept."""


class HomeInUse(Unavailable):
    """Another process owns this home folder."""


class HomeUnreadable(Unavailable):
    """What lies in the home folder was not written by this or an earlier workbench."""


class ModelSilent(Unavailable):
    """A language model was asked and did not answer, or with nothing that can be read."""


class KernelLost(Unavailable):
    """A kernel could not be started, or died before it was of use."""
