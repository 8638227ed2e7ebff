"""Columns that are changed before they are mapped."""

from __future__ import annotations

import pytest

from clientela.customers.entities import Customer
from clientela.errors import Invalid
from clientela.exchange import steps_from_json, steps_from_line


@pytest.fixture
def done(take, rows):
    """Import a file with steps and give the one row's fields."""

    def carried_out(file: str, *lines: str, fields: str = "name", **how):
        steps = tuple(step for line in lines for step in steps_from_line(line))
        take(Customer, file, transforms=steps, **how)
        (row,) = rows(Customer, *fields.split())
        return tuple(row[name] for name in fields.split())

    return carried_out


def test_a_name_is_split_into_its_parts(done):
    line = 'Who: split " " -> person.given, person.family'
    (person,) = done("Who,kind\n Anna   Maria Kern,person\n", line, fields="person")
    assert (person["given"], person["family"]) == ("Anna", "Maria Kern")


def test_columns_are_joined_and_blanks_left_out(done):
    file = "Legal form,Title,Rest\nGmbH,,Kern\n"
    assert done(file, 'Title + Rest + Legal form: join " " -> name') == ("Kern GmbH",)


def test_values_are_replaced_and_others_kept(done):
    assert done("name,Land\nA,Gemany\n", "Land: replace Gemany=Germany X=Y", fields="country",
                mapping={"Land": "country"}) == ("DE",)  # fmt: skip


def test_a_value_that_the_table_lacks_is_an_error_of_its_row(take):
    (step,) = steps_from_line("kind: translate F=organization P=person")
    report = take(Customer, "name,kind\nA,F\nB,Q\nC,P\n", transforms=(step,), skip_bad_rows=True)
    (group,) = report.groups
    assert (group.column, group.code, group.rows, group.samples) == (
        "kind",
        "not-in-table",
        [3],
        ["Q"],
    )
    assert report.created == 2


@pytest.mark.parametrize(
    ("cell", "line", "name"),
    [
        ("  tel: Kern kg ", "name: prefix tel: | suffix kg", "Kern"),
        ("--Kern--", "name: trim -", "Kern"),
        ("KERN", "name: case title", "Kern"),
        ("kern", "name: case upper", "KERN"),
        ("", "name: default Nobody", "Nobody"),
        ("Kern", "name: default Nobody", "Kern"),
        ("Kern", "name: constant Everybody", "Everybody"),
        ("=Kern", "name: prefix = | case upper", "KERN"),
        ("a|b", 'name: replace "a|b=c d"', "c d"),
    ],
)
def test_a_cell_is_changed(done, cell, line, name):
    assert done(f'name,note\n"{cell}",x\n', line) == (name,)


def test_a_step_sees_what_the_step_before_it_made(done):
    steps = (
        "All: split ; -> First, Second",
        "Second: case upper",
        'First + Second: join "-" -> name',
    )
    assert done("All,note\na;b,x\n", *steps, delimiter=",") == ("a-B",)


def test_the_same_steps_as_data():
    assert steps_from_json(
        [
            {"column": "Full name", "split": " ", "into": ["person.given", "person.family"]},
            {"columns": ["Street", "House"], "join": ", ", "into": "Address"},
            {"column": "City", "replace": {"Msk": "Moscow"}},
            {"column": "Phone", "trim": True},
        ]
    ) == (
        *steps_from_line('Full name: split " " -> person.given, person.family'),
        *steps_from_line('Street + House: join ", " -> Address'),
        *steps_from_line("City: replace Msk=Moscow"),
        *steps_from_line("Phone: trim"),
    )


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("name: splt x", "step splt of 'name'.*no such step. Did you mean 'split'"),
        ('name: split " "', "step split of 'name'.*into which"),
        ("name: case loud", "step case of 'name'.*one of lower"),
        ("name: replace Msk", "step replace of 'name'.*table"),
        ("a + b: trim", "only join"),
        ("name: prefix", "step prefix of 'name'.*text"),
        ("name trim", "write it like"),
        ('name: trim "', "write it like"),
        ("name: trim -> x", "only split and join"),
    ],
)
def test_a_step_that_cannot_be_done_is_named(line, sentence):
    with pytest.raises(Invalid, match=sentence):
        steps_from_line(line)


@pytest.mark.parametrize("raw", [{}, [1], [{"column": "x"}], [{"column": "x", "trim": True, "case": "lower"}],
                                 [{"column": 1, "trim": True}], [{"column": "x", "trim": True}] * 201])  # fmt: skip
def test_data_that_is_no_list_of_steps_is_refused(raw):
    with pytest.raises(Invalid):
        steps_from_json(raw)


def test_a_column_that_is_not_there_is_named_with_its_step(take):
    steps = (*steps_from_line("name: trim"), *steps_from_line("Citty: trim"))
    with pytest.raises(
        Invalid, match="Step 2, trim: the file has no column 'Citty'. Did you mean 'City'"
    ):
        take(Customer, "name,City\nA,B\n", transforms=steps)
