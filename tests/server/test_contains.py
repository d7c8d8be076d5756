"""`contains`: what it finds is what Python's `in` finds, whatever the names and the patterns are."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nights import DAY, frame, noon

from mar.errors import BadConfig
from marserver.archive import search, search_index
from marserver.archive.models import FieldImage, FinalTile, IndividualFile
from marserver.archive.queries import MOST_PATTERNS, Find, find
from marserver.errors import Invalid

pytestmark = pytest.mark.django_db

LETTERS = "abAB01-_%\\\"'*?()^:+ .,;äßñ星é\u0301🔭"
NAMES = st.lists(st.text(LETTERS, max_size=12), min_size=1, max_size=12, unique=True)
WORDS = st.lists(st.text(LETTERS.replace(",", ""), min_size=1, max_size=6), min_size=1, max_size=4)
MANY_TIMES = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def put(names):
    IndividualFile.objects.all().delete()
    for name in names:
        frame(name)


def found(contains, **more):
    return [row.file_name for row in find("individualfile", Find(contains=contains, **more))]


def expected(names, contains):
    words = [word for part in contains.split(",") if (word := part.strip())]
    return [name for name in names if not words or any(word in name for word in words)]


@MANY_TIMES
@given(names=NAMES, words=WORDS)
def test_it_finds_what_python_finds(names, words):
    put(names)
    contains = ",".join(words)
    assert found(contains) == expected(names, contains)


@MANY_TIMES
@given(names=NAMES, data=st.data())
def test_every_part_of_a_name_finds_it(names, data):
    put(names)
    name = data.draw(st.sampled_from(names))
    start = data.draw(st.integers(0, len(name)))
    word = name[start : data.draw(st.integers(start, len(name)))]
    assert found(word) == expected(names, word)


@MANY_TIMES
@given(names=NAMES, words=WORDS)
def test_the_way_it_is_found_does_not_matter(names, words):
    """Proposals by the thousand, and names read one by one, give the same rows."""
    put(names)
    contains = ",".join(words)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "FEW", 0)
        by_index = found(contains)
        in_range = found(contains, dates=(DAY, DAY))
        patch.setattr(search, "MANY", 1)
        one_by_one = found(contains)
    assert by_index == in_range == one_by_one == expected(names, contains)


@pytest.mark.parametrize(
    "word", ['a"b', "a'b", "a\\b", "a%b", "a_b", "NOT", "AND", "a OR b", "a*", "^ab", "col:ab", "(ab", "{ab}"]
)
def test_no_character_has_a_meaning(word):
    put([f"x{word}y", "a-b", "aXb", "ab", "AB", "a b", "not"])
    assert found(word) == [f"x{word}y"]


@pytest.mark.parametrize("word", ["a", "ab", "é", "🔭", "星1"])
def test_one_or_two_characters_are_found_too(word):
    put([f"1{word}2", "none", "NONE"])
    assert found(word) == [f"1{word}2"]


def test_capitals_are_told_apart():
    put(["STRIPE82-0001", "stripe82-0001", "Stripe82-0001"])
    assert found("STRIPE") == ["STRIPE82-0001"]
    assert found("stripe82-0001") == ["stripe82-0001"]


def test_a_name_that_matches_twice_is_there_once():
    put(["STRIPE82-0001"])
    assert found("STRIPE,0001,82-,STR,S") == ["STRIPE82-0001"]


def test_a_long_pattern_and_many_patterns():
    name = "".join(chr(ord("a") + number % 26) for number in range(300))
    put([name, name[:100]])
    assert found(name[:299]) == [name]
    words = [f"none{number}" for number in range(MOST_PATTERNS - 1)]
    assert found(",".join([*words, name[50:90]])) == [name, name[:100]]


def test_too_many_patterns_are_refused():
    with pytest.raises(Invalid, match="contains: 101 patterns are too many; at most 100"):
        found(",".join(f"p{number}" for number in range(MOST_PATTERNS + 1)))
    assert found(",".join(["same"] * 1000)) == []


@pytest.mark.parametrize("word", ["ab\0c", "abc\ud800", "\0"])
def test_no_name_holds_what_no_database_keeps(word):
    put(["abc", "abd"])
    assert found(word) == []
    assert found(f"{word},abd") == ["abd"]


def test_the_index_follows_new_names_changed_names_and_deleted_rows():
    one, two = frame("STRIPE82-0001"), frame("HYDRA-0001")
    assert found("STRIPE82") == ["STRIPE82-0001"]
    IndividualFile.objects.filter(pk=two.pk).update(file_name="STRIPE82-0002")
    assert found("STRIPE82") == ["STRIPE82-0001", "STRIPE82-0002"]
    assert found("HYDRA") == []
    IndividualFile.objects.bulk_create([IndividualFile(pk=None, **columns("STRIPE82-0003"))])
    one.delete()
    assert found("STRIPE82") == ["STRIPE82-0002", "STRIPE82-0003"]
    IndividualFile.objects.bulk_create([IndividualFile(**columns("STRIPE82-0003"))], ignore_conflicts=True)
    assert found("STRIPE82") == ["STRIPE82-0002", "STRIPE82-0003"]


def columns(name):
    return {"file_name": name, "file_path": name, "obs_date": noon(), "night": DAY, "file_type": "SCI"}


def test_a_change_of_another_column_leaves_the_index_alone():
    row = frame("STRIPE82-0001")
    row.comments = "clouds"
    row.save()
    assert found("STRIPE82") == ["STRIPE82-0001"]
    assert found("clouds") == []


def test_it_holds_together_with_other_conditions():
    frame("STRIPE82-0001", when=noon(hours=5))
    frame("STRIPE82-0002", when=noon(hours=50))
    frame("STRIPE82-0003", isvalid=False)
    frame("STRIPE82-0004", failed_step="am")
    assert found("STRIPE82", dates=(DAY, DAY)) == ["STRIPE82-0001", "STRIPE82-0004"]
    assert found("STRIPE82", valid=False) == ["STRIPE82-0003"]
    assert found("STRIPE82", error=True) == ["STRIPE82-0004"]
    assert found("STRIPE82", limit=1, offset=1) == ["STRIPE82-0002"]
    assert found("STRIPE82", order="-file_name", limit=1) == ["STRIPE82-0004"]
    assert found("STRIPE82", id=IndividualFile.objects.get(file_name="STRIPE82-0002").pk) == ["STRIPE82-0002"]


def test_tiles_and_images_are_found_by_a_part_of_their_field():
    for field in ("STRIPE82-0001", "HYDRA-0001", "hydra-0001"):
        FinalTile.objects.create(field=field, band="R")
        FieldImage.objects.create(field=field)
    for kind in ("finaltiles", "fieldimage"):
        assert [row.field for row in find(kind, Find(contains="HYDRA"))] == ["HYDRA-0001"]
        assert [row.field for row in find(kind, Find(contains="82,hyd"))] == ["STRIPE82-0001", "hydra-0001"]


def test_the_index_is_used_and_a_few_rows_are_asked_for_one_by_one():
    numbers = range(3000)
    IndividualFile.objects.bulk_create(IndividualFile(**columns(f"S{n * 7919}_F{n:04d}_R")) for n in numbers)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    with CaptureQueriesContext(connection) as asked:
        rows = find("individualfile", Find(contains="_F1234_"))
    assert f"IN ({rows[0].pk})" in str(rows.query)
    with connection.cursor() as cursor:
        plan = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN"
        cursor.execute(f"{plan} {asked[0]['sql']}")
        assert "files_individualfiles_search" in str(cursor.fetchall())


def test_a_lost_index_is_made_again_with_the_names_there_are():
    search_index.remove()
    frame("STRIPE82-0001")
    connection.check_constraints()  # PostgreSQL makes no index while any wait to be checked
    search_index.mend()
    assert found("STRIPE82") == ["STRIPE82-0001"]
    frame("STRIPE82-0002")
    assert found("STRIPE82") == ["STRIPE82-0001", "STRIPE82-0002"]


def test_a_whole_index_is_left_as_it_is(django_assert_max_num_queries):
    with django_assert_max_num_queries(2):
        search_index.mend()


def test_without_the_right_to_install_the_extension_the_command_is_told():
    if connection.vendor == "postgresql":  # SQLite knows no extensions: any login is refused there
        with connection.cursor() as cursor:
            cursor.execute("DROP EXTENSION pg_trgm CASCADE; CREATE ROLE guest; SET LOCAL ROLE guest")
    with pytest.raises(BadConfig, match="CREATE EXTENSION pg_trgm;"):
        search_index.need_trigrams()
