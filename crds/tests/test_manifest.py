"""`load_manifest` follows kubectl, names the place of what is wrong, and neither crashes nor hangs."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from spark_crds.manifest import ManifestError, load_manifest
from spark_crds.manifest.compose import MAX_DEPTH
from spark_crds.manifest.load import MAX_BYTES


def with_types(value: Any) -> Any:
    """`value` such that 1, 1.0 and true differ."""
    if isinstance(value, dict):
        return {name: with_types(child) for name, child in value.items()}
    if isinstance(value, list):
        return [with_types(item) for item in value]
    return type(value).__name__, value


def refused(text: str | bytes) -> ManifestError:
    with pytest.raises(ManifestError) as caught:
        load_manifest(text, "run.yaml")
    return caught.value


def test_a_text_becomes_what_kubectl_would_send_and_the_server_store(document_case: dict[str, Any]) -> None:
    if "laxer" in document_case:
        load_manifest(document_case["text"], "run.yaml")
    elif "refused" in document_case or "stricter" in document_case:
        error = refused(document_case["text"])
        assert error.message == document_case.get("stricter", error.message)
    else:
        loaded = load_manifest(document_case["text"], "run.yaml")
        assert with_types(loaded) == with_types(document_case["documents"])


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a: 1\nb: 2\na: 3\n", "run.yaml:3:1: duplicate key"),
        ("a:\n  y: 1\n  true: 2\n", 'run.yaml:3:3: duplicate key "true"'),
        ("a: 1\n---\nb: .nan\n", "run.yaml:3:4: .nan"),
        ("a: [1,\n", "run.yaml:2:1: "),
        ("a: *x\n", "run.yaml:1:4: unknown anchor x"),
        ("a: &x [*x]\n", "run.yaml:1:8: the anchor x contains itself"),
        ("a: x\n\u0007b: y\n", "run.yaml:2:1: the character U+0007"),
        ('{"a": 1,\n "a": 2}', 'run.yaml:2:2: duplicate key "a"'),
        ('{"a": 1}\n{"b": 1e999}', "run.yaml:2: "),
        ("a: 1\n--- {b: 2}\n", "run.yaml:2:5: a document begins on the line after ---"),
        ("\n\n- a\n", "run.yaml:3: a manifest is an object, this is a list"),
    ],
)
def test_an_error_names_the_file_the_line_and_the_column(text: str, place: str) -> None:
    assert str(refused(text)).startswith(place)


def test_bytes_that_are_not_utf8_are_refused_with_their_line() -> None:
    error = refused(b"a: 1\nb: \xff\n")
    assert (error.line, error.message) == (2, "byte 9 is not UTF-8")


def test_a_text_beyond_the_limit_is_refused_before_it_is_read() -> None:
    assert "larger than" in refused("a: " + "x" * MAX_BYTES).message


@pytest.mark.parametrize("text", ["", " \n", "# only a comment\n", "---\n---\n", "null", b"\xef\xbb\xbf"])
def test_a_text_without_an_object_is_refused(text: str | bytes) -> None:
    assert refused(text).message == "holds no object"


@pytest.mark.parametrize("opening", ["{a: ", "[", '{"a": ', "- ", "? "])
@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 5_000, 100_000])
def test_deep_nesting_is_refused(opening: str, depth: int) -> None:
    assert "nested deeper" in refused("a:\n  " + opening * depth).message


def test_json_nested_deeper_than_python_reads_is_refused() -> None:
    assert "nested deeper" in refused('{"a":' * 10_000 + "1" + "}" * 10_000).message


def test_nesting_within_the_limit_is_read() -> None:
    depth = MAX_DEPTH - 2
    assert load_manifest("a: " + "[" * depth + "]" * depth, "run.yaml")
    assert load_manifest('{"a": ' + "[" * depth + "]" * depth + "}", "run.yaml")


def test_an_alias_bomb_is_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    assert "aliases expanded" in refused("\n".join(lines)).message


def test_an_alias_to_a_large_text_is_refused_when_it_grows_too_large() -> None:
    text = "a: &a " + "x" * 500_000 + "\nb: [" + ", ".join(["*a"] * 10) + "]"
    assert "aliases expanded" in refused(text).message


def test_too_many_values_are_refused() -> None:
    assert "values" in refused("a: [" + "1," * 200_000 + "]").message
    assert "values" in refused('{"a": [' + "1," * 200_000 + "1]}").message


def test_very_many_small_json_objects_are_refused_and_not_counted_for_ever() -> None:
    assert "values" in refused("{}" * (MAX_BYTES // 2)).message


def test_a_duplicate_among_very_many_keys_is_found() -> None:
    keys = ",".join(f'"k{n}":1' for n in range(70_000))
    assert refused(f'{{{keys},"k69999":2}}').message == 'duplicate key "k69999"'


@pytest.mark.parametrize(
    "digits", ["9" * 5_000, "-" + "9" * 100_000, "0x" + "f" * 50_000, "1" + "_1" * 50_000]
)
def test_gigantic_integers_in_yaml_stay_text_as_in_kubectl(digits: str) -> None:
    assert load_manifest(f"a: {digits}", "run.yaml") == [{"a": digits}]


@pytest.mark.parametrize("digits", ["9" * 5_000, "1e400", "-1e400"])
def test_gigantic_numbers_in_json_are_refused(digits: str) -> None:
    assert "finite" in refused(f'{{"a": {digits}}}').message


def test_yaml_and_json_of_one_manifest_are_one_object(manifest: dict[str, Any]) -> None:
    documents = [
        json.dumps(manifest),
        json.dumps(manifest, indent=4),
        yaml.safe_dump(manifest),
        "---\n" + yaml.safe_dump(manifest, default_flow_style=True),
        yaml.safe_dump(manifest).replace("\n", "\r\n"),
    ]
    for text in documents:
        assert load_manifest(text, "run") == [manifest]
        assert load_manifest(text.encode(), "run") == [manifest]


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(-(2**53), 2**53)  # beyond, Go writes the shortest digits and the server reads an integer
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(
    st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), JSON_VALUES, max_size=4)
)
def test_any_json_object_is_read_as_itself(value: dict[str, Any]) -> None:
    text = json.dumps(value)
    assert load_manifest(text, "run.json") == [json.loads(text)]


YAML_PIECES = st.sampled_from(
    [
        *"{}[],:-?&*!|>'\"%@`#\n\t ~",
        *("a", "y", "<<", "---\n", "...\n", "&a ", "*a", "!!str ", "1e3", "0x1f", ".inf", "%YAML"),
        *(
            "  ",
            "- ",
            ": ",
            "\n  ",
            "null",
            "2022-01-01",
            "é",
            "\u2028",
            "\x85",
            "\ufeff",
            '"\\u0000"',
            '"\\ud800"',
        ),
    ]
)


@given(st.one_of(st.lists(YAML_PIECES, max_size=60).map("".join), st.text(), st.binary()))
@example("? ? ? a")
@example("a: !!binary //8=")
@example("{? : }")
@example('{"a": "\\ud800\\udc00"}')
@example("!<tag:yaml.org,2002:int> 0b")
def test_any_text_is_loaded_or_refused_and_never_crashes(text: str | bytes) -> None:
    try:
        objects = load_manifest(text, "run.yaml")
    except ManifestError as error:
        assert error.message
        return
    assert objects
    assert all(isinstance(each, dict) for each in objects)
    json.dumps(objects, allow_nan=False).encode()


def test_a_manifest_cut_off_or_garbled_anywhere_never_crashes(manifest: dict[str, Any]) -> None:
    text = yaml.safe_dump(manifest).encode()
    source = random.Random(7)  # noqa: S311 - a fixed sequence is wanted
    for _ in range(400):
        garbled = bytearray(text[: source.randrange(1, len(text))])
        for _ in range(source.randrange(4)):
            garbled[source.randrange(len(garbled)) : 0] = bytes([source.randrange(256)])
        try:
            load_manifest(bytes(garbled), "run.yaml")
        except ManifestError as error:
            assert str(error).startswith("run.yaml")
