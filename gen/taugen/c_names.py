# SPDX-License-Identifier: MIT
"""The names that a specification gives in C. Each must be given once, and none may be one that the
hand-written half declares, or the generated one whatever the specification says.

Only such names are looked for as a specification can give: calls of the client, tags of types,
callbacks, functions of a type or a payload, constants. tests/gen/names_test.py keeps TAKEN whole.
"""

from __future__ import annotations

from typing import Iterator

from .emit_sdk import is_callable
from .model import Model, Payload, Place, Type, TypeKind
from .names import Scope

_NAMES = """
    address allocator any_callback array async async_add_timer async_announce async_begin
    async_cancel async_changed_callback async_commit async_connect async_enter async_fd async_flush
    async_free async_free_raw_calls async_is_entered async_leave async_link async_new
    async_on_ready async_outstanding async_raw async_remove_timer async_server async_set_changed
    async_set_timeout_ms async_supports async_timeout_ms async_wanted batch batch_state batcher
    batcher_failed_callback batcher_frame_size batcher_options batcher_size call call_info
    call_name caller candidates client client_batcher_new client_connect client_deadline_ns
    client_free client_look client_new client_pipeline client_raw client_reached client_run
    client_server client_set_timeout_ms client_supports client_version client_wait completion core
    core_config core_phase decode_error decode_explain_size error event fault_copy field_info
    field_shape frame frame_kind header header_decode header_oracle header_store input libevent
    limit_number link_callback link_state member_info opcode opcode_from_name opcode_name
    operation_info options output output_at output_block payload_info pending pending_at
    pending_flag pending_ring point_counts progress raw_call raw_callback raw_frame_callback
    raw_operation role server_info session_event session_state session_state_name session_verdict
    settings slice status status_class status_class_name status_from_name status_name timer
    trace_callback trace_direction type_info type_kind verdict waiter writer writer_put
    """

_CONSTANTS = """
    ADDRESS_H ADDRESS_HOST_SIZE ASYNC_H ASYNC_PARTS_H BATCHER_H BATCHER_PARTS_H BATCH_FLYING
    BATCH_IDLE BATCH_OPEN BATCH_SEALED BEGIN_DECLARATIONS BIG_ENDIAN_HOST CALLS_H CALL_COUNT CALL_H
    CLIENT_H CLIENT_PARTS_H CLI_COMMANDS_H CODEC_H CORE_CLOSED CORE_CONNECT CORE_H CORE_NEGOTIATE
    CORE_OPENING CORE_PARTS_H CORE_READY CORE_WANTED DEFAULT_LISTEN ELEMENTS_H END_DECLARATIONS
    ERROR_H ERROR_MESSAGE_SIZE EVENT_READ EVENT_WRITE EXPORT_H FAULT_H FIELD_NONE FIRST_PUSH_OPCODE
    FRAME_REPLY FRAME_REQUEST FRAME_UNKNOWN HEADER_ORACLE_H HEADER_SIZE HELLO_SIZE INPUT_BASE_SIZE
    INPUT_H LABEL_H LABEL_TEXT_SIZE LAST_PUSH_OPCODE LIBEVENT_H LIMIT_NUMBERS_H LIMIT_SLOTS
    LINK_CLOSED LINK_CONNECTING LINK_READY LINK_WAITING MEMORY_H MUST_USE NS_PER_MS OPERATIONS_H
    OPERATION_COUNT OPTIONS_H OUTPUT_BLOCK_SIZE OUTPUT_H PAYLOAD_COUNT PENDING_ABANDONED PENDING_H
    PENDING_RENEW PENDING_STOPPED POLL_H POLL_MAX PROGRESS_DONE PROGRESS_END PROGRESS_FAILED
    PROGRESS_WAIT PROTOCOL_H PROTOCOL_VERSION RAW_H ROLE_ADMIN ROLE_NONE ROLE_READER ROLE_WRITER
    SESSION_H SESSION_STATE_COUNT SETTINGS_H SHAPE_COUNTED_ARRAY SHAPE_FIXED SHAPE_OPTIONAL
    SHAPE_REST SHAPE_REST_ARRAY SHAPE_SIZED SOCKET_CANDIDATES SOCKET_H SOCKET_SLICES
    SPECIFICATION_FINGERPRINT STATUS_CLASS_FATAL STATUS_CLASS_OK STATUS_CLASS_REQUEST
    STATUS_CLASS_RETRY STATUS_CLASS_UNKNOWN TABLES_H TRACE_H TRACE_RECEIVED TRACE_SENT TYPE_BLOB
    TYPE_BOOL TYPE_BYTES TYPE_ENUM TYPE_FLOAT TYPE_INTEGER TYPE_STATUS TYPE_STRUCT TYPE_TEXT
    UTF8_ESCAPED_SIZE VERDICT_BROKEN VERDICT_CONTINUE VERDICT_STOP WIRE_BYTES_H WIRE_COLUMNS_H
    WIRE_DECODE_H WIRE_SLICE_H WIRE_UTF8_H WIRE_WORDS_H WIRE_WRITER_H WORDS_LAYOUT_MISMATCH
    """

TAKEN = frozenset(
    [f"tau_{word}" for word in _NAMES.split()] + [f"TAU_{word}" for word in _CONSTANTS.split()]
)

Given = tuple[str, str, Place]  # a name, what it names, and where that is stated


def _of_type(type_: Type) -> Iterator[Given]:
    what = f"the type `{type_.name}`"
    stem = f"tau_{type_.name}"
    endings = ["at", "copy", "put", "load", "store"]
    if type_.kind is TypeKind.ENUM:
        endings = ["name", "from_name", "at", "copy", "put"]
    elif type_.alias_of or not type_.size:
        return
    if not type_.builtin:
        yield stem, what, type_.place
    for ending in endings:
        yield f"{stem}_{ending}", what, type_.place
    for value in type_.values:
        yield value.c_name, f"`{value.name}` of `{type_.name}`", type_.place


def _of_payload(payload: Payload, what: str, place: Place) -> Iterator[Given]:
    if payload.empty:
        return
    for name in (payload.c_struct, payload.c_decode, payload.c_encode, payload.c_size):
        yield name, what, place


def names_of(model: Model) -> Iterator[Given]:
    """Every name that a specification gives."""
    for limit in model.limits:
        for prefix in ("TAU_LIMIT", "TAU_LIMIT_NUMBER"):
            yield f"{prefix}_{limit.name.upper()}", f"the limit `{limit.name}`", limit.place
    for flag in model.flags:
        yield flag.c_name, f"the flag `{flag.name}`", flag.place
    for feature in model.features:
        yield feature.c_name, f"the feature `{feature.name}`", feature.place
    for status in model.statuses:
        yield status.c_name, f"the status `{status.name}`", status.place
    for state in model.states:
        yield state.c_name, f"the state `{state.name}`", state.place
    for event in model.events:
        first = next(t for t in model.transitions if t.event == event)
        yield event.c_name, f"the event `{event.text}`", first.place
    for type_ in model.types:
        yield from _of_type(type_)
    for reply in model.replies:
        what = f"the reply {reply.name}"
        yield reply.c_opcode, what, reply.place
        yield from _of_payload(reply.payload, what, reply.place)
    for operation in model.operations:
        what, name, place = f"the operation {operation.name}", operation.c_name, operation.place
        yield operation.c_opcode, what, place
        if is_callable(operation):
            for given in (
                f"tau_client_{name}", f"tau_async_{name}", f"tau_{name}_callback",
                f"tau_{name}_batch_callback",
            ):  # fmt: skip
                yield given, what, place
        for payload in (operation.request, operation.response):
            yield from _of_payload(payload, what, place)


def check_names(model: Model) -> None:
    """Raises SpecificationError for the first name that is taken."""
    scope = Scope("C", TAKEN)
    for name, what, place in names_of(model):
        scope.take(name, what, place)
