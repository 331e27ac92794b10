"""The files with the secrets of a system: found, or written for their owner alone; their content is shown nowhere."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from stream.cli.questions import Questions, flag_of
from stream.connect.written_files import is_private, new_secret, write_new_file, write_private
from stream.doctor.finding import Finding, good, look
from stream.sources.requests.secret_lines import SecretLines

__all__ = ["SecretFile", "secret_files", "told_path"]


def told_path(path: Path, file: Path) -> str:
    """Return how *file* names another one: beside it, or else by its absolute path."""
    whole, folder = path.absolute(), file.absolute().parent
    return str(whole.relative_to(folder) if whole.is_relative_to(folder) else whole)


class SecretFile(Struct, frozen=True, kw_only=True):
    """Where a secret is, or is to be."""

    path: Path
    field: str
    """What the option is called that names the file."""
    of_system: bool
    """Whether the system has it, so that it is asked for; else it is made, unless one is given."""
    is_ours: bool = False
    """Whether it is none of the system's business: it is made in any case."""
    of: str
    """Whose it is: the source."""

    @property
    def about(self) -> str:
        """What is asked for."""
        word = self.field.removesuffix("_file").replace("_", " ")
        return f"The {word} for {self.of}, which is not shown"

    def ensured(self, questions: Questions, *, replace: bool = False) -> tuple[Finding, bool]:
        """
        Return how the file is, and whether it was written now; raises SettingsError where it cannot be used.

        One that is there stays, unless the system's is to be *replaced*.
        """
        asked = self.of_system or (questions.secret_from_stdin and not self.is_ours)
        if self.path.exists():
            if replace and self.of_system and (another := self._another(questions)):
                write_private(self.path, another + "\n")
                return good("secret", f"{self.path} was written anew, for its owner alone"), False
            return self._found(questions), False
        secret = questions.secret(self.about, self.path, flag_of(self.field)) if asked else new_secret()
        write_new_file(self.path, secret + "\n")
        said = f"{self.path} was written" if asked else f"a secret was made: {self.path}"
        return good("secret", f"{said}, for its owner alone"), True

    def asked_again(self, questions: Questions) -> None:
        """Let a person say another secret than the one that did not do."""
        if self.of_system and (another := questions.another_secret(self.about)):
            write_private(self.path, another + "\n")

    def _another(self, questions: Questions) -> str:
        if questions.has_secret:
            return questions.secret(self.about, self.path, flag_of(self.field))
        return questions.another_secret(self.about)

    def _found(self, questions: Questions) -> Finding:
        SecretLines(self.path)  # which says what is wrong with it
        if not is_private(self.path):
            return look("secret", f"{self.path} may be read by others", f"chmod 600 {self.path}")
        if questions.has_secret and not self.is_ours:
            return look("secret", f"{self.path} is there, and stays as it is", "write it anew with --replace")
        return good("secret", f"{self.path} is there")


def secret_files(
    fields: Sequence[str],
    given: Mapping[str, Path],
    place: Path,
    *,
    of: str,
    of_system: bool = True,
    ours: Sequence[str] = (),
) -> Iterator[SecretFile]:
    """Yield where the secrets of these fields are: where that was *given*, else at *place*, with a suffix."""
    for field in fields:
        # The only one is just the secret.
        suffix = "secret" if len(fields) == 1 else field.removesuffix("_file").replace("_", "-")
        path = given.get(field) or place.with_name(f"{place.name}.{suffix}")
        is_ours = field in ours
        yield SecretFile(path=path, field=field, of_system=of_system and not is_ours, is_ours=is_ours, of=of)
