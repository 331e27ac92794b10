"""Files are there whole or not at all, whoever interrupts; a secret is its owner's alone."""

from pathlib import Path

import pytest

from stream.connect.written_files import is_private, new_secret, write_new_file, write_text
from stream.errors import SettingsError


def test_a_secret_is_its_owners_alone_and_no_two_are_alike(tmp_path: Path) -> None:
    write_new_file(tmp_path / "secret", new_secret())

    assert is_private(tmp_path / "secret")
    assert len((tmp_path / "secret").read_text()) == 64
    assert new_secret() != new_secret()


def test_a_file_that_is_there_is_never_written_over_by_a_new_one(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("old")

    with pytest.raises(SettingsError, match="secret is there already"):
        write_new_file(tmp_path / "secret", "new")

    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("secret", "old")]


def test_a_file_keeps_its_rights_and_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "real.toml").write_text("old")
    (tmp_path / "real.toml").chmod(0o640)
    (tmp_path / "webhooks.toml").symlink_to("real.toml")

    write_text(tmp_path / "webhooks.toml", "new")

    assert (tmp_path / "webhooks.toml").is_symlink()
    assert (tmp_path / "real.toml").read_text() == "new"
    assert (tmp_path / "real.toml").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_whoever_is_interrupted_leaves_the_old_file_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, interruption: type[BaseException] | OSError
) -> None:
    (tmp_path / "webhooks.toml").write_text("old")

    def interrupted(_: int) -> None:
        raise interruption

    monkeypatch.setattr("os.fsync", interrupted)

    for write, name in ((write_text, "webhooks.toml"), (write_new_file, "secret")):
        with pytest.raises((KeyboardInterrupt, SettingsError)):
            write(tmp_path / name, "new")

    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("webhooks.toml", "old")]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"none/secret cannot be written: No such file"):
        write_new_file(tmp_path / "none" / "secret", "new")

    assert [*tmp_path.iterdir()] == []
