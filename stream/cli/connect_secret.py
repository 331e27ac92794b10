"""The file with the secret of a system: found, or written for its owner alone; its content is shown nowhere."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from stream.cli.questions import Questions
from stream.connect.written_files import is_private, new_secret, write_new_file
from stream.doctor.finding import Finding, good, look
from stream.sources.requests.secret_lines import SecretLines

__all__ = ["SecretFile", "secret_option_of", "told_path"]

_NAMES: Final = ("key_file", "secret_file", "token_file", "password_file")


def secret_option_of(kinds: Sequence[type[Struct]]) -> str | None:
    """Return the field that names the file of a secret; None where a source needs none."""
    names = [field.name for kind in kinds for field in msgspec.structs.fields(kind)]
    return next((name for name in names if name in _NAMES), None)


def told_path(path: Path, file: Path) -> str:
    """Return how *file* names another one: beside it, or else by its absolute path."""
    whole, folder = path.absolute(), file.absolute().parent
    return str(whole.relative_to(folder) if whole.is_relative_to(folder) else whole)


class SecretFile(Struct, frozen=True, kw_only=True):
    """Where a secret is, or is to be."""

    path: Path
    flag: str
    of_system: bool
    about: str

    def ensured(self, questions: Questions) -> tuple[Finding, bool]:
        """Return how the file is, and whether it was written now; raises SettingsError where it cannot be used."""
        if self.path.exists():
            SecretLines(self.path)  # which says what is wrong with it
            if is_private(self.path):
                return good("secret", f"{self.path} is there"), False
            return look("secret", f"{self.path} may be read by others", f"chmod 600 {self.path}"), False
        if self.of_system or questions.secret_from_stdin:
            write_new_file(self.path, questions.secret(self.about, self.path, self.flag) + "\n")
            return good("secret", f"{self.path} was written, for its owner alone"), True
        write_new_file(self.path, new_secret() + "\n")
        return good("secret", f"a secret was made: {self.path}, for its owner alone"), True
