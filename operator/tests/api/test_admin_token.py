"""What is accepted as an ADMIN_TOKEN."""

from __future__ import annotations

from pathlib import Path

import pytest
from spark_operator.api.admin_token import AdminToken, WeakToken, read_tokens

STRONG = "8f14e45fceea167a5a36dedd4bea2543b6d1a1f0c9e3f7d2"


@pytest.mark.parametrize(
    ("token", "words"),
    [
        ("test-secret-123", "has 15 characters; at least 32"),
        (STRONG[:31], "has 31 characters"),
        ("test-secret-123-test-secret-123-xyz", "known weak value"),
        ("REPLACE-me-with-openssl-rand-hex-32", "known weak value"),
        ("a" * 40, "repeats itself"),
        ("abcdefghijkl" * 4, "repeats itself"),
        ("abcabdabeabfacbadbaebafbcacbcbabcabd", "repeats itself"),
        (STRONG[:20] + " " + STRONG[20:], "printable ASCII without spaces"),
        (STRONG + "é", "printable ASCII"),
    ],
)
def test_a_weak_token_is_refused_and_not_quoted(token: str, words: str) -> None:
    with pytest.raises(WeakToken, match=words) as caught:
        read_tokens(f"{STRONG}\n{token}\n")
    assert "line 2" in str(caught.value)
    assert token not in str(caught.value)


def test_three_tokens_are_one_too_many() -> None:
    with pytest.raises(WeakToken, match="at most 2"):
        read_tokens("\n".join(STRONG + str(number) for number in range(3)))


def test_an_empty_file_is_break_glass_off(tmp_path: Path) -> None:
    path = tmp_path / "ADMIN_TOKEN"
    path.write_text("\n")
    admin = AdminToken(path)
    assert not admin.enabled
    assert not admin.accepts("")


def test_a_weak_token_at_start_ends_the_start(tmp_path: Path) -> None:
    path = tmp_path / "ADMIN_TOKEN"
    path.write_text("test-secret-123")
    with pytest.raises(WeakToken):
        AdminToken(path)


def test_a_swapped_link_is_noticed(tmp_path: Path) -> None:
    """As the kubelet changes a mounted Secret."""
    for name, token in (("one", STRONG), ("two", STRONG[::-1])):
        (tmp_path / name).mkdir()
        (tmp_path / name / "ADMIN_TOKEN").write_text(token)
    link = tmp_path / "..data"
    link.symlink_to("one")
    admin = AdminToken(link / "ADMIN_TOKEN")
    assert admin.accepts(STRONG)
    (tmp_path / "next").symlink_to("two")
    (tmp_path / "next").rename(link)
    assert not admin.accepts(STRONG)
    assert admin.accepts(STRONG[::-1])
