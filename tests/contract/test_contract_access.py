"""What every RPC keeps to: who may call it, lists in pages, mutations done once, streams that end, paths of its own."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2

from gateway.envoy.contract import Contract, Described, Method

pytestmark = pytest.mark.contract
DESCRIPTORS = Path(__file__).resolve().parents[2] / "build" / "descriptors.binpb"
PERMISSION = re.compile(r"[a-z]+(\.[a-z][A-Za-z]*)+")
VARIABLE = re.compile(r"\{[\w.]+(?:=([^}]+))?\}")
FIELD = descriptor_pb2.FieldDescriptorProto
READING = ("Get", "List")
# Named otherwise than Get and List, and yet they change nothing.
CHANGES_NOTHING = {
    "drive.v1.FileService/CreateDownload": "signs an address; nothing is kept of it",
    "drive.v1.FileService/ReadFile": "reads",
    "engine.v1.BotService/CheckScripts": "compiles, and publishes nothing",
    "kb.v1.KbService/Search": "reads; a POST because questions are long and private",
    "llm.v1.LlmService/Embed": "the same texts give the same vectors",
    "session.v1.LedgerService/FindTenant": "reads",
    "session.v1.SessionService/StreamEvents": "reads",
}
# They change something, and something else than a request_id makes a repetition harmless.
DONE_ONCE_OTHERWISE = {
    "session.v1.AuthService/SignIn": "every sign-in is a family of tokens of its own",
    "session.v1.AuthService/SignInVisitor": "every sign-in is a visitor of its own",
    "session.v1.AuthService/RefreshToken": "the refresh token works once; repeated, one of its successors does",
    "session.v1.AuthService/RevokeToken": "what is revoked stays revoked",
    "session.v1.AuthService/ExchangeToken": "every exchange is an access token of its own",
    "session.v1.SessionService/CancelTurn": "asks whoever makes the reply to stop; writes nothing",
    "session.v1.SessionService/CreateTicket": "a ticket works once and for seconds; one more does no harm",
    "session.v1.LedgerService/ClaimTurns": "what is claimed cannot be claimed again before its lease ends",
    "session.v1.LedgerService/RenewLease": "fenced by the lease",
    "session.v1.LedgerService/CheckpointTurn": "fenced by the lease",
    "session.v1.LedgerService/CommitTurn": "fenced by the lease",
    "session.v1.LedgerService/AbandonTurn": "fenced by the lease",
    "session.v1.LedgerService/ReceiveMessage": "external_id says which message it is",
    "session.v1.LedgerService/StartRun": "external_id says which run it is",
    "session.v1.LedgerService/RedeemTicket": "a ticket works once",
    "session.v1.LedgerService/ConfirmDeliveries": "what is confirmed stays confirmed",
}


def short(method: Method) -> str:
    return method.path.removeprefix("/parley.")


def fields(contract: Contract, message: str) -> Described:
    return contract.pool.FindMessageTypeByName(message).fields_by_name


def is_one(found: Described, name: str, kind: int) -> bool:
    """Whether a message has a field of that name and type that is not repeated."""
    return name in found and found[name].type == kind and not found[name].is_repeated


def without_access(contract: Contract) -> Iterator[str]:
    """Methods that anyone may call must say nothing else; all others name a permission."""
    for method in contract.methods:
        if method.public != (not PERMISSION.fullmatch(method.permission)) or (method.public and method.internal):
            yield short(method)


def without_pages(contract: Contract) -> Iterator[str]:
    for method in contract.methods:
        if not method.name.startswith("List"):
            continue
        asked, told = fields(contract, method.request), fields(contract, method.response)
        paged = is_one(asked, "page_size", FIELD.TYPE_INT32) and is_one(asked, "page_token", FIELD.TYPE_STRING)
        lists = [name for name, field in told.items() if field.is_repeated]
        if not paged or not is_one(told, "next_page_token", FIELD.TYPE_STRING) or len(lists) != 1:
            yield short(method)


def without_request_id(contract: Contract) -> Iterator[str]:
    """Methods that may change something, and do not take a UUID the caller chooses."""
    for method in contract.methods:
        if not method.name.startswith(READING) and not takes_request_id(contract, method):
            yield short(method)


def takes_request_id(contract: Contract, method: Method) -> bool:
    found = fields(contract, method.request)
    if not is_one(found, "request_id", FIELD.TYPE_STRING):
        return False
    rules = contract.option(described(contract, method.request, "request_id").options, "buf.validate.field")
    return rules is not None and rules.string.uuid


def described(contract: Contract, message: str, field: str) -> Described:
    """A field as the set describes it, with its options."""
    package, _, name = message.rpartition(".")
    messages = (item for file in contract.files.file if file.package == package for item in file.message_type)
    found = next(item for item in messages if item.name == name)
    return next(item for item in found.field if item.name == field)


def without_end(contract: Contract) -> Iterator[str]:
    """Streams whose events are not numbered, not of one kind each, or have no way to end well or badly."""
    for method in contract.methods:
        if not method.streams:
            continue
        message = contract.pool.FindMessageTypeByName(method.response)
        event = message.oneofs_by_name.get("event")
        kinds = {field.name for field in event.fields} if event is not None else set()
        numbers = {name for name in message.fields_by_name if name not in kinds}
        counted = is_one(message.fields_by_name, "seq", FIELD.TYPE_INT32) and numbers <= {"seq", "ledger_seq"}
        if not counted or not {"completed", "failed"} <= kinds:
            yield short(method)


def shared_paths(contract: Contract) -> Iterator[str]:
    """Verb and path of REST that more than one rule has, whatever the variables in it are called."""
    rules = (binding for method in contract.methods for binding in method.bindings)
    counted = Counter(f"{rule.verb} {VARIABLE.sub(lambda found: found[1] or '*', rule.template)}" for rule in rules)
    return (path for path, count in counted.items() if count > 1)


@pytest.fixture(scope="module")
def contract() -> Contract:
    return Contract.read(DESCRIPTORS)


def test_every_method_says_who_may_call_it(contract: Contract) -> None:
    assert list(without_access(contract)) == []
    assert sum(1 for _ in contract.methods) > 60


def test_every_list_comes_in_pages(contract: Contract) -> None:
    assert list(without_pages(contract)) == []


def test_every_mutation_can_be_asked_for_once(contract: Contract) -> None:
    """The exceptions are all that there are: one that is none any more has to leave its list."""
    assert set(without_request_id(contract)) == CHANGES_NOTHING.keys() | DONE_ONCE_OTHERWISE.keys()
    assert not CHANGES_NOTHING.keys() & DONE_ONCE_OTHERWISE.keys()


def test_what_is_read_is_not_posted(contract: Contract) -> None:
    """So that "Get" and "List" may be left out above: a GET is never a mutation, and these are nothing else."""
    for method in contract.methods:
        if method.name.startswith(READING) and method.bindings:
            assert method.safe, method.path
        if method.safe:
            assert method.name.startswith(READING) or short(method) in CHANGES_NOTHING, method.path


def test_every_stream_counts_its_events_and_ends(contract: Contract) -> None:
    assert list(without_end(contract)) == []
    assert {method.name for method in contract.methods if method.streams} >= {"StreamTurn", "CompleteStream"}


def test_no_method_takes_a_stream(contract: Contract) -> None:
    assert [method.path for method in contract.methods if method.client_streams] == []


def test_every_rest_path_is_of_one_method(contract: Contract) -> None:
    assert list(shared_paths(contract)) == []


Files = descriptor_pb2.FileDescriptorSet


def the_file(files: Files, ending: str) -> descriptor_pb2.FileDescriptorProto:
    return next(file for file in files.file if file.name.endswith(ending))


def rename(files: Files, ending: str, message: str, field: str) -> None:
    found = next(item for item in the_file(files, ending).message_type if item.name == message)
    next(item for item in found.field if item.name == field).name = "renamed"


def take_options(files: Files) -> None:
    the_file(files, "kb_service.proto").service[0].method[4].ClearField("options")


def share_a_path(files: Files) -> None:
    methods = the_file(files, "kb_service.proto").service[0].method
    methods[0].options.CopyFrom(methods[4].options)


@pytest.mark.parametrize(
    ("broken", "check", "seen"),
    [
        (take_options, without_access, "kb.v1.KbService/Search"),
        (
            lambda files: rename(files, "kb_service.proto", "ListDocumentsResponse", "next_page_token"),
            without_pages,
            "kb.v1.KbService/ListDocuments",
        ),
        (
            lambda files: rename(files, "kb_service.proto", "ImportDocumentRequest", "request_id"),
            without_request_id,
            "kb.v1.KbService/ImportDocument",
        ),
        (
            lambda files: rename(files, "llm_service.proto", "CompletionEvent", "failed"),
            without_end,
            "llm.v1.LlmService/CompleteStream",
        ),
        (share_a_path, shared_paths, "post /v1/bots/*/knowledge:search"),
    ],
    ids=["access", "pages", "request_id", "end", "path"],
)
def test_a_method_that_breaks_a_rule_is_seen(
    broken: Callable[[Files], None], check: Callable[[Contract], Iterator[str]], seen: str
) -> None:
    files = Files.FromString(DESCRIPTORS.read_bytes())
    broken(files)
    assert seen in set(check(Contract(files.SerializeToString())))
