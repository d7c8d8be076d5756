"""Every line of the contract: each path and type with each set of parameters, and each error it documents."""

import pytest
from contract import CASES
from django.utils.timezone import now
from nights import DAY, bias_master, flat_master, frame, frames, noon

from marserver.accounts.models import Role
from marserver.api.bodies import wire_names
from marserver.api.main import RESOURCES
from marserver.api.resources import type_of
from marserver.archive.kinds import ALIASES, KINDS
from marserver.archive.models import (
    BiasBlock,
    FieldImage,
    FinalTile,
    FlatByFilter,
    FlatsBlock,
    Sci,
    SciBlock,
    SciByFilter,
    Superflat,
)
from marserver.jobs.models import Job, Status

pytestmark = pytest.mark.django_db


@pytest.fixture
def archive(db, root, settings):
    """A small survey: id by name."""
    settings.MAR_CAMERA = "t80cam-mini"
    settings.MAR_ENGINE = "inline"
    bias, flats = frames(2, "BIAS"), frames(2, "FLAT")
    flat_u = frame("flat-u", "FLAT", "U")
    raw, second = frames(2)
    broken = frame("broken", failed_step="am", error="not solved")
    spoilt = frame("spoilt", isvalid=False)
    raw_z = frame("sci-z", band="Z")
    processed = frame("proc_sci-R-F1-0", "PROCESSED", raw_sci=raw, status=5)
    processed.sci = Sci.objects.create(sciraw=raw)
    processed.save()
    raw.processed = processed
    raw.save()
    days = {"block_start_date": DAY, "block_end_date": DAY}
    rows = {
        "bias": bias[0],
        "flat": flats[0],
        "flat_u": flat_u,
        "raw": raw,
        "second": second,
        "broken": broken,
        "spoilt": spoilt,
        "processed": processed,
        "biasblock": BiasBlock.objects.create(**days),
        "emptybias": BiasBlock.objects.create(**days),
        "donebias": bias_master(),
        "flatbyfilter": FlatByFilter.objects.create(band="R", **days),
        "doneflat": flat_master("R"),
        "flatpart": FlatByFilter.objects.create(band="U", **days),
        "flatblock": FlatsBlock.objects.create(**days),
        "doneflatblock": FlatsBlock.objects.create(status=1, **days),
        "scibyfilter": SciByFilter.objects.create(band="R", **days),
        "donesci": SciByFilter.objects.create(band="R", status=1, **days),
        "scipart": SciByFilter.objects.create(band="Z", **days),
        "sciblock": SciBlock.objects.create(**days),
        "donesciblock": SciBlock.objects.create(status=1, **days),
        "superflat_z": Superflat.objects.create(
            band="Z", status=1, super_flat_path="MASTERS/FRINGE/z", **days
        ),
        "superflat_r": Superflat.objects.create(
            band="R", status=1, super_flat_path="MASTERS/FRINGE/r", **days
        ),
        "tile": FinalTile.objects.create(
            field="F1", band="R", status=1, flag=2, file_path="TILES/F1/F1_R_swp.fits.fz", date=noon()
        ),
        "image": FieldImage.objects.create(field="F1", file_path="TILES/F1/F1.png"),
        "noimage": FieldImage.objects.create(field="F2"),
        "waiting": job("biasblock 900", Status.TODO),
        "running": job("biasblock 901", Status.DOING, worker="w", lease_until=now(), started_at=now()),
        "ended": job("biasblock 902", Status.DONE, started_at=now(), ended_at=now(), outcome="made"),
    }
    rows["biasblock"].bias.set(bias)
    rows["flatbyfilter"].flats.set(flats)
    rows["flatpart"].flats.set([flat_u])
    rows["flatblock"].flats_by_filter.set([rows["flatbyfilter"], rows["flatpart"]])
    rows["scibyfilter"].scies.set([raw, second, broken])
    rows["donesci"].scies.set([raw])
    rows["scipart"].scies.set([raw_z])
    rows["sciblock"].sci_by_filter.set([rows["scibyfilter"], rows["scipart"]])
    rows["tile"].composed_by.set([processed])
    return {name: row.pk for name, row in rows.items()}


def superflat(band, days):
    return Superflat.objects.create(band=band, status=1, super_flat_path=f"MASTERS/FRINGE/{band}", **days)


def job(target, status, **more):
    return Job.objects.create(
        function="biasblock process", kind="biasblock", target=target, block=target[-3:], status=status,
        queued_at=now(), **more,
    )  # fmt: skip


def named(name):
    return next(one for one in RESOURCES if name in one.names)


def action_of(path, word):
    return next((body, one) for body, one in named(path).actions.items() if type_of(body) == word)


def with_ids(body, ids):
    """The body with the rows' ids in the place of their names."""
    return {
        key: ids[value[1:]] if isinstance(value, str) and value.startswith("$") else value
        for key, value in body.items()
    }


@pytest.fixture
def ask(archive, alice, bob, carol, call_as):
    """Ask as the least role that may, with the ids of the archive."""
    people = {Role.VIEWER: bob, Role.OPERATOR: alice, Role.ADMINISTRATOR: carol}

    def asked(path, word, body):
        role = action_of(path, word)[1].role
        if word.startswith("process") and not body.get("plan"):
            role = Role.OPERATOR  # a viewer may only ask for the plan
        caller = call_as(people[role])
        given = with_ids(body, archive) | ({"type": word} if word else {})
        return caller(path, **given), caller.status

    return asked


def case_id(case):
    path, word, body, status, *_ = case
    return f"{path} {word} {','.join(f'{key}={value}'[:24] for key, value in body.items())} {status}"


@pytest.mark.parametrize("case", CASES, ids=case_id)
def test_the_contract(ask, case):
    path, word, body, expected, said, beside = case
    answer, status = ask(path, word, body)
    assert status == expected, answer
    assert answer["status"] is (expected == 200)
    if said == "rows":
        check_rows(path, word, answer["msg"])
    elif expected == 200:
        assert said in str(answer["msg"]), answer
        assert set(beside.split()) <= set(answer), answer
    else:
        assert isinstance(answer["msg"], str)
        assert said in answer["msg"], answer


def check_rows(path, word, rows):
    """Flat objects, the keys of their kind in order, the id first; nested rows are arrays of whole rows."""
    assert isinstance(rows, list)
    for row in rows:
        assert next(iter(row)) == "id"
        if word == "get":
            check_row(KINDS[ALIASES.get(path, path)], row)


def check_row(kind, row):
    keys = [key for key, _ in kind.columns]
    nests = {nest.key: KINDS[nest.kind] for nest in kind.nests}
    assert list(row)[: len(keys)] == keys
    assert set(row) <= set(keys) | set(nests)
    for key in keys:
        listed = key in ("files", "sextractorOut", "scampOut", "swarpOut")
        assert isinstance(row[key], list) if listed else not isinstance(row[key], list | dict)
    for key, lower in nests.items():
        for one in row.get(key, []):
            check_row(lower, one)


def test_every_type_has_its_cases():
    known = {(path, word) for path, word, *_ in CASES}
    wanted = {(one.names[0], type_of(body)) for one in RESOURCES for body in one.actions}
    assert wanted == known


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda one: one.names[0])
def test_every_parameter_and_every_set_of_them_is_asked(resource):
    for body in resource.actions:
        cases = [
            (set(given), status)
            for path, word, given, status, *_ in CASES
            if path == resource.names[0] and word == type_of(body)
        ]
        good = [given for given, status in cases if status in (200, 403, 409)]
        for names in body.sets:
            assert any(set(names) <= given for given in good), (body, names)
        asked = set().union(*(given for given, _ in cases)) | {"type"}
        assert {name for name, _ in wire_names(body)} <= asked, body


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda one: one.names[0])
def test_an_unknown_parameter_is_named_with_the_accepted_ones(ask, resource):
    for body in resource.actions:
        answer, status = ask(resource.names[0], type_of(body), {"colour": 1})
        assert status == 400
        assert "colour" in answer["msg"]
        for name, field in wire_names(body):
            assert not field.is_required() or name == "type" or name in answer["msg"]


@pytest.mark.parametrize("value", [True, -1, 2**63, 1.5, "one", "", [], {}, None])
@pytest.mark.parametrize("resource", RESOURCES, ids=lambda one: one.names[0])
def test_what_is_no_id_is_refused_by_name(ask, resource, value):
    for body in resource.actions:
        if "id" in dict(wire_names(body)):
            answer, status = ask(resource.names[0], type_of(body), {"id": value})
            assert status == 400, (body, answer)
            assert "id" in answer["msg"]


@pytest.mark.parametrize(
    "resource", [one for one in RESOURCES if len(one.actions) > 1], ids=lambda one: one.kind
)
def test_an_unknown_type_is_told_the_accepted_ones(call_as, alice, archive, resource):
    for name in resource.names:
        for body in ({"type": "colour"}, {}):
            caller = call_as(alice)
            answer = caller(name, **body)
            assert caller.status == 400
            for known in resource.actions:
                assert type_of(known) in answer["msg"]
