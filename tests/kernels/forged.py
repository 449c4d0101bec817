"""Messages that no kernel sends, and how a cell sends them."""

SENDING = """
kernel = get_ipython().kernel
session, iopub, parent = kernel.session, kernel.iopub_socket, kernel.get_parent()
def say(type, content, **options):
    session.send(iopub, type, content, parent=options.pop('parent', parent), **options)
def frames(type, raw):
    header = session.msg_header(type)
    head = [session.pack(header), session.pack(parent['header']), b'{}', raw]
    return [b'topic', b'<IDS|MSG>', session.sign(head), *head]
import time
"""

FORGED = {
    "a number of 100,000 digits": (
        "import sys; sys.set_int_max_str_digits(0)\n"
        "display({'application/json': 10**100_000}, raw=True)"
    ),
    "a wrong signature": "f = frames('stream', b'{}'); f[2] = b'0' * 64; iopub.send_multipart(f)",
    "no signature": "f = frames('stream', b'{}'); f[2] = b''; iopub.send_multipart(f)",
    "one frame": "iopub.send_multipart([b'x'])",
    "a frame too few": "iopub.send_multipart(frames('stream', b'{}')[:-1])",
    "an empty frame": "iopub.send_multipart([b''])",
    "deep JSON": "iopub.send_multipart(frames('stream', b'[' * 100_000))",
    "an integer of 100,000 digits": (
        "iopub.send_multipart(frames('stream', b'{\"name\": ' + b'9' * 100_000 + b'}'))"
    ),
    "no object": "iopub.send_multipart(frames('stream', b'3'))",
    "no UTF-8": "iopub.send_multipart(frames('stream', b'\\xff\\xfe{'))",
    "no content": "say('stream', {})",
    "an error of numbers": "say('error', {'ename': 1, 'evalue': 2, 'traceback': 3})",
    "a comm of nothing": "say('comm_open', {})",
    "a comm of lists": "say('comm_msg', {'comm_id': [], 'data': {'state': []}})",
    "an early idle": "say('status', {'execution_state': 'idle'})",
    "a second result": (
        "for n in (1, 2):\n    say('display_data', {'data':"
        " {'application/vnd.workbench.result+json': n}, 'metadata': {}})"
    ),
}
