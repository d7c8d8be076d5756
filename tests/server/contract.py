"""What the contract says, line by line: path, type, parameters, status, words, keys beside `msg`.

`$name` stands for the id of a row of the archive in test_contract.py, `rows` for a list of whole rows.
"""

from nights import DAY

START, END = DAY.isoformat(), DAY.isoformat()
DATES = {"startDate": START, "endDate": END}
OTHER = {"startDate": "2030-01-01", "endDate": "2030-01-02"}
NOBODY = 987654
NEW = {"password": "the moon is bright tonight"}

BLOCK_GETS = [
    ({"id": "$row"}, 200, "rows", ""),
    ({"id": NOBODY}, 404, str(NOBODY), ""),
    (DATES, 200, "rows", ""),
    ({**DATES, "valid": 0}, 200, "rows", ""),
    ({**DATES, "valid": "true", "limit": 1, "offset": "0", "order": "-id"}, 200, "rows", ""),
    ({}, 400, "id | startDate, endDate", ""),
    ({"startDate": START}, 400, "endDate", ""),
    ({"startDate": "2024-03-02", "endDate": START}, 400, "startDate", ""),
    ({"startDate": "yesterday", "endDate": END}, 400, "startDate", ""),
    ({"id": "$row", **DATES}, 400, "id | startDate, endDate", ""),
    ({**DATES, "order": "colour"}, 400, "order", ""),
    ({**DATES, "limit": -1}, 400, "limit", ""),
    ({**DATES, "valid": 2}, 400, "valid", ""),
]
CHANGES = [
    ("setcomment", {"id": "$row", "comment": "moon"}, 200, "", "comments"),
    ("setcomment", {"id": "$row", "comment": ""}, 200, "", "comments"),
    ("setcomment", {"id": "$row", "comment": "x" * 301}, 400, "300", ""),
    ("setcomment", {"id": "$row"}, 400, "comment", ""),
    ("setcomment", {"id": NOBODY, "comment": "x"}, 404, str(NOBODY), ""),
    ("validate", {"id": "$row"}, 200, "invalid", "isvalid"),
    ("validate", {"id": NOBODY}, 404, str(NOBODY), ""),
    ("history", {"id": "$row"}, 200, "", ""),
    ("history", {"id": NOBODY}, 404, str(NOBODY), ""),
]
STATUS = [
    ("setstatus", {"id": "$row", "status": 1}, 200, "1", "newstatus"),
    ("setstatus", {"id": "$row", "status": 2}, 400, "status", ""),
    ("setstatus", {"id": NOBODY, "status": 1}, 404, str(NOBODY), ""),
    ("setsubstatus", {"id": "$row", "status": 5}, 200, "", "newstatus count"),
    ("setsubstatus", {"id": "$row", "status": "0"}, 200, "", "newstatus count"),
    ("setsubstatus", {"id": "$row", "status": 6}, 400, "status", ""),
    ("setsubstatus", {"id": NOBODY, "status": 0}, 404, str(NOBODY), ""),
    ("delete", {"id": "$row"}, 200, "deleted", "id"),
    ("delete", {"id": "$done"}, 409, "product", ""),
    ("delete", {"id": NOBODY}, 404, str(NOBODY), ""),
]
PROCESSES = [
    ("process", {"id": "$row"}, 200, "queued", "job"),
    ("process", {"id": "$row", "code": "co, ov"}, 200, "queued", "job"),
    ("process", {"id": "$row", "code": "xx"}, 400, "code", ""),
    ("process", {"id": "$row", "plan": True}, 200, "", "plan"),
    ("process", {"id": "$done", "plan": 1}, 200, "", "plan"),
    ("process", {"id": "$done"}, 409, "status", ""),
    ("process", {"id": NOBODY}, 404, str(NOBODY), ""),
    ("process", {"id": NOBODY, "plan": True}, 404, str(NOBODY), ""),
]


def members(good, other):
    """`add` and `remove` with something that fits and something that does not."""
    return [
        ("add", {"id": "$row", "objid": good}, 200, "added", "id objid"),
        ("add", {"id": "$row", "objid": NOBODY}, 404, str(NOBODY), ""),
        ("add", {"id": NOBODY, "objid": good}, 404, str(NOBODY), ""),
        ("add", {"id": "$row"}, 400, "objid", ""),
        ("remove", {"id": "$row", "objid": good}, 200, "removed", "id objid"),
        ("remove", {"id": "$row", "objid": NOBODY}, 404, str(NOBODY), ""),
        *([("add", {"id": "$row", "objid": other}, 409, "", "")] if other else []),
    ]


def creates(*, band, needs_band, queues=False):
    """`create` of a block."""
    beside = "id job" if queues else "id count"
    good = {**DATES, "band": band}
    more = [("create", {**DATES}, 400, "band", "")] if needs_band else [("create", DATES, 200, "", beside)]
    return [
        ("create", good, 200, "", beside),
        ("create", {**good, "contains": "a,i,r"}, 200, "", beside),
        ("create", {**good, "nameContains": "no such"}, 404, "no such", ""),
        ("create", {**OTHER, "band": band}, 404, "2030-01-01", ""),
        ("create", {"startDate": START, "band": band}, 400, "endDate", ""),
        ("create", {"startDate": "2024-03-02", "endDate": START, "band": band}, 400, "startDate", ""),
        *more,
    ]


def registers(kind):
    return [
        ("register", {}, 400, "filepath", ""),
        ("register", {"filepath": "MASTERS/none.fits"}, 404, "MASTERS/none.fits", ""),
        ("register", {"filepath": "../../etc/passwd"}, 400, "filepath", ""),
        ("register", {"filepath": "/etc/passwd"}, 400, "filepath", ""),
    ]


SUPERFLAT_OF = [
    ("setsuperflat", {"id": "$row", "superflatid": "$fringe"}, 200, "", "count"),
    ("setsuperflat", {"id": "$row", "superflatid": -1}, 200, "unlinked", "count"),
    ("setsuperflat", {"id": "$row", "superflatid": NOBODY}, 404, str(NOBODY), ""),
    ("setsuperflat", {"id": NOBODY, "superflatid": -1}, 404, str(NOBODY), ""),
    ("setsuperflat", {"id": "$row"}, 400, "superflatid", ""),
]
ONLY = [
    ("process", {"id": "$row", "only": "failed"}, 200, "queued", "job"),
    ("process", {"id": "$row", "only": "bad"}, 400, "only", ""),
]


def block(name, done, *more, fringe=""):
    """All types of one kind of block, `$row` and `$done` being its rows."""
    gets = [("get", *rest) for rest in BLOCK_GETS]
    every = [*gets, *PROCESSES, *CHANGES, *STATUS, *more]
    return [
        (name, *filled(case, {"$row": f"${name}", "$done": f"${done}", "$fringe": fringe})) for case in every
    ]


def filled(case, names):
    """A case with the names of its rows."""
    kind, body, *rest = case
    return (kind, {key: names.get(value, value) for key, value in body.items()}, *rest)


CASES = [
    # raw frames found by a scan, and processed science frames
    ("individualfile", "get", {"id": "$raw"}, 200, "rows", ""),
    ("individualfile", "get", {"id": "$processed"}, 200, "rows", ""),
    ("individualfile", "get", {"id": NOBODY}, 404, str(NOBODY), ""),
    ("individualfile", "get", DATES, 200, "rows", ""),
    ("individualfile", "get", {"contains": "sci-R,flat"}, 200, "rows", ""),
    ("individualfile", "get", {"nameContains": "sci-R"}, 200, "rows", ""),
    ("individualfile", "get", {**DATES, "contains": "proc_", "valid": 1}, 200, "rows", ""),
    ("individualfile", "get", {**DATES, "error": 1}, 200, "rows", ""),
    ("individualfile", "get", {**DATES, "limit": 2, "offset": 1, "order": "file_name"}, 200, "rows", ""),
    ("individualfile", "get", {}, 400, "contains", ""),
    ("individualfile", "get", {"field": "F1"}, 400, "field", ""),
    ("individualfile", "setstatus", {"id": "$raw", "status": 5}, 200, "5", "newstatus"),
    ("individualfile", "setstatus", {"id": "$raw", "status": 6}, 400, "status", ""),
    ("individualfile", "setstatus", {"id": NOBODY, "status": 0}, 404, str(NOBODY), ""),
    *(("individualfile", *filled(case, {"$row": "$raw"})) for case in CHANGES),
    # tiles
    ("finaltiles", "get", {"id": "$tile"}, 200, "rows", ""),
    ("finaltiles", "get", {"id": NOBODY}, 404, str(NOBODY), ""),
    ("finaltiles", "get", DATES, 200, "rows", ""),
    ("finaltiles", "get", {"field": "F1"}, 200, "rows", ""),
    ("finaltiles", "get", {"field": "F1", "band": "R"}, 200, "rows", ""),
    ("finaltiles", "get", {"contains": "F"}, 200, "rows", ""),
    ("finaltiles", "get", {**DATES, "contains": "F", "flag": 2, "valid": True}, 200, "rows", ""),
    ("finaltiles", "get", {"field": "F1", "flag": -1, "limit": 3, "offset": 0, "order": "band"},
     200, "rows", ""),
    ("finaltiles", "get", {"band": "R"}, 400, "field", ""),
    ("finaltiles", "get", {"field": "F1", "flag": 1024}, 400, "flag", ""),
    ("finaltiles", "getfields", {}, 200, "rows", ""),
    ("finaltiles", "getshort", {"field": "F1", "band": "R"}, 200, "rows", ""),
    ("finaltiles", "getshort", {"field": "F1"}, 400, "band", ""),
    ("finaltiles", "process", {"id": "$tile"}, 200, "queued", "job"),
    ("finaltiles", "process", {"field": "F1", "band": "R", "code": "am co", "status": 3},
     200, "queued", "job"),
    ("finaltiles", "process", {"field": "F1", "band": "R", "plan": 1}, 200, "", "plan"),
    ("finaltiles", "process", {"field": "F9", "band": "R"}, 404, "F1", ""),
    ("finaltiles", "process", {"field": "F1", "band": "Q"}, 400, "band", ""),
    ("finaltiles", "process", {"field": "F1"}, 400, "band", ""),
    ("finaltiles", "process", {"id": NOBODY}, 404, str(NOBODY), ""),
    ("finaltiles", "processfield", {"field": "F1"}, 200, "queued", "job"),
    ("finaltiles", "processfield", {"field": "F1", "code": "co", "status": 0}, 200, "queued", "job"),
    ("finaltiles", "processfield", {"field": "F1", "plan": True}, 200, "", "plan"),
    ("finaltiles", "processfield", {"field": "F9"}, 404, "F1", ""),
    ("finaltiles", "processfield", {"field": "F1", "status": 6}, 400, "status", ""),
    ("finaltiles", "setstatus", {"id": "$tile", "status": 0}, 200, "", "newstatus"),
    ("finaltiles", "setstatus", {**DATES, "contains": "F", "flag": 2, "status": 0},
     200, "", "newstatus count"),
    ("finaltiles", "setstatus", {**DATES, "status": 0}, 400, "flag", ""),
    ("finaltiles", "setstatus", {"id": "$tile", "status": 2}, 400, "status", ""),
    ("finaltiles", "setsubstatus", {"id": "$tile", "status": 3}, 200, "", "newstatus count"),
    ("finaltiles", "setsubstatus", {"id": NOBODY, "status": 3}, 404, str(NOBODY), ""),
    ("finaltiles", "setsuperflat", {"field": "F1", "band": "Z", "superflatid": "$superflat_z"},
     200, "", "count"),
    ("finaltiles", "setsuperflat", {"field": "F1", "band": "R", "superflatid": -1}, 200, "unlinked", "count"),
    ("finaltiles", "setsuperflat", {"field": "F1", "band": "R", "superflatid": NOBODY}, 404, str(NOBODY), ""),
    ("finaltiles", "setsuperflat", {"field": "F1", "band": "R", "superflatid": "$superflat_z"}, 400, "Z", ""),
    ("finaltiles", "setflag", {"id": "$tile", "flag": 1023}, 200, "1023", "flag"),
    ("finaltiles", "setflag", {"id": "$tile", "flag": "-1"}, 200, "-1", "flag"),
    ("finaltiles", "setflag", {"id": "$tile", "flag": 1024}, 400, "flag", ""),
    ("finaltiles", "setflag", {"id": NOBODY, "flag": 0}, 404, str(NOBODY), ""),
    *(("finaltiles", *filled(case, {"$row": "$tile"})) for case in CHANGES),
    # blocks
    *block("biasblock", "donebias", *creates(band="R", needs_band=False), *members("$bias", "$flat")),
    ("biasblock", "process", {"id": "$emptybias"}, 409, "valid", ""),
    *(("biasblock", *case) for case in registers("biasblock")),
    *block("flatbyfilter", "doneflat", *creates(band="R", needs_band=True), *members("$flat", "$flat_u")),
    ("flatbyfilter", "add", {"id": "$flatbyfilter", "objid": "$raw"}, 409, "", ""),
    ("flatbyfilter", "create", {**DATES, "band": "Q"}, 400, "band", ""),
    *(("flatbyfilter", *case) for case in registers("flatbyfilter")),
    *block("flatblock", "doneflatblock", *creates(band="R", needs_band=False), *members("$flatpart", "")),
    *block(
        "scibyfilter", "donesci", *creates(band="R", needs_band=True), *members("$second", "$flat"),
        *ONLY, *SUPERFLAT_OF, fringe="$superflat_r",
    ),
    ("scibyfilter", "setsuperflat", {"id": "$scibyfilter", "superflatid": "$superflat_z"}, 400, "Z", ""),
    ("scibyfilter", "create", DATES, 400, "sciblock", ""),
    *block(
        "sciblock", "donesciblock", *creates(band="R", needs_band=False), *members("$scipart", ""),
        *ONLY, *SUPERFLAT_OF, fringe="$superflat_z",
    ),
    # fringe frames
    *(("superflat", *filled(("get", *case), {"$row": "$superflat_z"})) for case in BLOCK_GETS),
    ("superflat", "get", {**DATES, "band": "Z"}, 200, "rows", ""),
    *(("superflat", *case) for case in creates(band="R", needs_band=True, queues=True)),
    *(("superflat", *filled(case, {"$row": "$superflat_z"})) for case in CHANGES),
    *(("superflat", *case) for case in registers("superflat")),
    # colour images
    ("fieldimage", "get", {"id": "$image"}, 200, "rows", ""),
    ("fieldimage", "get", {"id": NOBODY}, 404, str(NOBODY), ""),
    ("fieldimage", "get", {"field": "F1"}, 200, "rows", ""),
    ("fieldimage", "get", {"contains": "F", "valid": 1}, 200, "rows", ""),
    ("fieldimage", "get", DATES, 200, "rows", ""),
    ("fieldimage", "get", {"contains": "F", "limit": 1, "offset": 1, "order": "-field"}, 200, "rows", ""),
    ("fieldimage", "get", {}, 400, "field", ""),
    ("fieldimage", "process", {"field": "F1"}, 409, "U", ""),
    ("fieldimage", "process", {"field": "F1", "partial": True}, 200, "queued", "job"),
    ("fieldimage", "process", {"id": "$image", "partial": 1}, 200, "queued", "job"),
    ("fieldimage", "process", {"field": "F1", "plan": True}, 200, "", "plan"),
    ("fieldimage", "process", {"field": "F9"}, 404, "F9", ""),
    ("fieldimage", "process", {"id": NOBODY}, 404, str(NOBODY), ""),
    ("fieldimage", "process", {}, 400, "field", ""),
    ("fieldimage", "setflag", {"id": "$image", "flag": 4}, 200, "4", "flag"),
    ("fieldimage", "setflag", {"id": NOBODY, "flag": 4}, 404, str(NOBODY), ""),
    *(("fieldimage", *filled(case, {"$row": "$image"})) for case in CHANGES),
    # operations and configuration
    ("get_process", "", {}, 200, "", "operations"),
    ("get_logs", "", {}, 200, "main", ""),
    ("get_logs", "", {"operation": "$ended", "since": "2024-03-01T00:00:00Z", "level": "WARN", "limit": 5},
     200, "main", ""),
    ("get_logs", "", {"operation": NOBODY}, 404, str(NOBODY), ""),
    ("get_logs", "", {"level": "LOUD"}, 400, "level", ""),
    ("get_logs", "", {"since": "then"}, 400, "since", ""),
    ("clear_logs", "", {}, 200, "", "count"),
    ("scan_folder", "", {"path": "", "contains": "a"}, 200, "queued", "job"),
    ("scan_folder", "", {"path": "/reductionmedia"}, 200, "queued", "job"),
    ("scan_folder", "", {"path": "../elsewhere"}, 400, "path", ""),
    ("scan_folder", "", {"path": "/etc"}, 400, "path", ""),
    ("scan_folder", "", {"path": "nothing"}, 404, "nothing", ""),
    ("reset_thread", "", {}, 200, "", ""),
    ("get_queue", "", {}, 200, "", "running"),
    ("get_queue", "", {"limit": 1}, 200, "", "running"),
    ("removeQueue", "", {"id": "$waiting"}, 200, "", "id"),
    ("removeQueue", "", {"id": "$running"}, 409, "cancel", ""),
    ("removeQueue", "", {"id": NOBODY}, 404, str(NOBODY), ""),
    ("cancel", "", {"id": "$running"}, 200, "", "id"),
    ("cancel", "", {"id": "$ended"}, 409, "ended", ""),
    ("cancel", "", {"id": NOBODY}, 404, str(NOBODY), ""),
    ("requeue", "", {"id": "$ended"}, 200, "queued", "job"),
    ("requeue", "", {"id": "$waiting"}, 409, "queued", ""),
    ("requeue", "", {"id": NOBODY}, 404, str(NOBODY), ""),
    ("setpriority", "", {"id": "$waiting", "priority": -3}, 200, "-3", "priority"),
    ("setpriority", "", {"id": "$ended", "priority": 1}, 409, "", ""),
    ("setpriority", "", {"id": NOBODY, "priority": 1}, 404, str(NOBODY), ""),
    ("setpriority", "", {"id": "$waiting", "priority": 40000}, 400, "priority", ""),
    ("pause", "", {}, 200, "paused", ""),
    ("resume", "", {}, 200, "open", ""),
    ("getConf", "", {}, 200, "Scan", "schema"),
    ("setItemConf", "", {"section": "Scan", "item": "POLYDEG_X", "value": "3"},
     200, "POLYDEG_X", "value version"),
    ("setItemConf", "", {"section": "Scan", "item": "POLYDEG_X", "value": ""}, 200, "POLYDEG_X", "value"),
    ("setItemConf", "", {"section": "Scan", "item": "POLYDEG_X", "value": "99"}, 400, "POLYDEG_X", ""),
    ("setItemConf", "", {"section": "Scan", "item": "COLOUR", "value": "1"}, 400, "COLOUR", ""),
    ("setItemConf", "", {"section": "Nowhere", "item": "POLYDEG_X", "value": "1"}, 400, "Nowhere", ""),
    ("setItemConf", "", {"section": "Instrument", "item": "name", "value": "x"}, 400, "Instrument", ""),
    ("set_conf", "", {"config_name": "other.toml"}, 404, "other.toml", ""),
    ("set_conf", "", {"config_name": "../mar.toml"}, 400, "config_name", ""),
    ("getConfHistory", "", {"limit": 5}, 200, "", ""),
    ("undoConf", "", {"version": NOBODY}, 404, str(NOBODY), ""),
    ("get_changes", "", {"user": "alice", "kind": "queue", "since": START + "T00:00:00Z", "limit": 5},
     200, "", ""),
    ("getOperation", "", {}, 200, "Final Tiles Count", "progress"),
    ("getOperations", "", {"nums": 3}, 200, "", ""),
    ("getOperations", "", {"nums": "x"}, 400, "nums", ""),
    ("rawQuery", "", {"query": "DROP TABLE files_biasblock"}, 400, "SELECT", ""),
    ("rawQuery", "", {"query": "SELECT 1", "format": "xml"}, 400, "format", ""),
    ("get_trilogy_image", "", {"field": "F1"}, 200, "TILES/F1/F1.png", ""),
    ("get_trilogy_image", "", {"field": "F9", "request_order": False}, 404, "F9", ""),
    ("request_twelve_im", "", {"field": "F1"}, 409, "U", ""),
    ("request_twelve_im", "", {"field": "F9"}, 404, "F9", ""),
    # accounts
    ("auth/users", "", {}, 200, "alice", ""),
    ("auth/setrole", "", {"username": "bob", "role": "operator"}, 200, "operator", "role"),
    ("auth/setrole", "", {"username": "bob", "role": "king"}, 400, "role", ""),
    ("auth/setrole", "", {"username": "nobody", "role": "viewer"}, 404, "nobody", ""),
    ("auth/setrole", "", {"username": "carol", "role": "viewer"}, 409, "administrator", ""),
    ("auth/setactive", "", {"username": "bob", "active": False}, 200, "bob", "active"),
    ("auth/setactive", "", {"username": "carol", "active": 0}, 409, "administrator", ""),
    ("auth/setactive", "", {"username": "nobody", "active": 1}, 404, "nobody", ""),
    ("auth/setpassword", "", {**NEW, "old_password": "bob-password"}, 200, "bob", ""),
    ("auth/setpassword", "", {**NEW, "username": "alice"}, 403, "administrator", ""),
    ("auth/setpassword", "", {**NEW, "old_password": "wrong"}, 403, "old_password", ""),
    ("auth/setpassword", "", {"password": "short", "old_password": "bob-password"}, 400, "password", ""),
    ("auth/history", "", {"username": "alice"}, 200, "", ""),
    ("auth/history", "", {"username": "nobody"}, 404, "nobody", ""),
    ("auth/tokens", "", {}, 200, "", ""),
    ("auth/tokens", "", {"username": "alice"}, 403, "administrator", ""),
    ("auth/revoke", "", {"id": NOBODY}, 404, str(NOBODY), ""),
]  # fmt: skip
