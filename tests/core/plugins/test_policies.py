"""What `clientela.toml` says of plugins is read and edited whatever else stands there."""

from __future__ import annotations

from pathlib import Path

import pytest

from clientela.errors import Misconfigured
from clientela.plugins.policies import Policy, disable, enable, policies_of, read_wishes
from clientela.settings import load_settings


def written(folder: Path, text: str) -> Path:
    path = folder / "clientela.toml"
    path.write_bytes(text.encode())
    return path


def test_the_short_form_is_a_version_and_the_long_form_says_more() -> None:
    said = {"contacts": "~=0.1", "sales": {"required": True, "config": {"days": 3}}, "bi": "*"}

    assert policies_of(said) == {
        "contacts": Policy("~=0.1"),
        "sales": Policy("", required=True, config={"days": 3}),
        "bi": Policy(""),
    }


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("~=1", "sales: '~=1' is no version specifier; write ~=1.0, >=1.2,<2 or ==1.0.3."),
        ({"requird": True}, "sales has no policy 'requird'. Did you mean 'required'?"),
        ({"required": "yes"}, "sales: required is true or false, and config a table."),
        (3, "sales is a version such as ~=1.0, or a table with version, required and config."),
    ],
)
def test_a_policy_that_cannot_be_read_is_named(tmp_path: Path, said: object, sentence: str) -> None:
    with pytest.raises(ValueError) as refused:
        policies_of({"sales": said})

    assert str(refused.value) == sentence


def test_the_settings_refuse_it_with_the_file(tmp_path: Path) -> None:
    written(tmp_path, "[plugins.sales]\nrequird = true\n")

    with pytest.raises(Misconfigured, match=r"clientela\.toml: plugins: sales has no policy"):
        load_settings(tmp_path)


def test_disabling_leaves_every_other_letter_alone(tmp_path: Path) -> None:
    text = (
        '# The corner shop.\r\nname = "Shop"   # shown on top\r\n'
        'disabled = [\r\n    "bi",  # too slow here\r\n]\r\n\r\n[plugins]\r\nsales = "~=1.0"\r\n'
    )
    path = written(tmp_path, text)

    assert disable(tmp_path, "sales")
    after = path.read_bytes().decode()
    assert '"bi",  # too slow here' in after
    assert read_wishes(tmp_path).disabled == {"bi", "sales"}
    assert after.startswith('# The corner shop.\r\nname = "Shop"   # shown on top\r\ndisabled = [')
    assert after.endswith('[plugins]\r\nsales = "~=1.0"\r\n')
    assert not disable(tmp_path, "sales")

    assert enable(tmp_path, "sales")
    assert read_wishes(tmp_path).disabled == {"bi"}
    assert not enable(tmp_path, "sales")


def test_the_file_keeps_its_rights(tmp_path: Path) -> None:
    """It may hold a password."""
    path = written(tmp_path, 'database = "postgresql://me:secret@host/shop"\n')
    path.chmod(0o600)

    disable(tmp_path, "sales")

    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["clientela.toml"]


def test_an_error_in_another_section_does_not_keep_a_plugin_from_being_disabled(
    tmp_path: Path,
) -> None:
    path = written(
        tmp_path,
        'name = "Shop\ndisabled = ["bi"]\n\n[plugins]\nsales = "~=1.0"\n\n[mail]\nhost = = 3\n',
    )
    before = read_wishes(tmp_path)

    assert before.disabled == {"bi"}
    assert before.policies == {"sales": Policy("~=1.0")}
    assert "line 1" in before.problem
    assert disable(tmp_path, "sales")
    assert read_wishes(tmp_path).disabled == {"bi", "sales"}
    assert path.read_text("utf-8").endswith("[mail]\nhost = = 3\n")


def test_the_list_that_is_to_be_edited_is_mended_by_hand_when_it_is_itself_broken(
    tmp_path: Path,
) -> None:
    written(tmp_path, 'disabled = ["bi"\nname = "Shop"\n')

    with pytest.raises(Misconfigured, match="mend it by hand"):
        disable(tmp_path, "sales")
