"""The file of a class: what was sent is in it before anybody is told so."""

import os
import re
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from autoencoder.data import NO_DIGIT

APPLICATION_ID = 0x44494743  # "DIGC": it tells a class from other SQLite files
LOCKED_FOR_S = 1.0  # how long to wait for another server that is about to end
# The n-th brings a file from version n to n + 1; a new file has version 0 and gets all of them.
MIGRATIONS = (
    f"""
    CREATE TABLE sent (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        drawing TEXT NOT NULL UNIQUE,
        digit INTEGER NOT NULL CHECK (digit BETWEEN 0 AND {NO_DIGIT}),
        at REAL NOT NULL,
        visit INTEGER NOT NULL,
        alone INTEGER NOT NULL CHECK (alone BETWEEN 0 AND 4),
        learned INTEGER NOT NULL CHECK (learned BETWEEN 0 AND 4),
        found INTEGER NOT NULL CHECK (found IN (0, 1)),
        taken_for INTEGER,
        hidden INTEGER NOT NULL DEFAULT 0
    );
    CREATE TABLE switches (name TEXT PRIMARY KEY, is_on INTEGER NOT NULL CHECK (is_on IN (0, 1)));
    PRAGMA application_id = {APPLICATION_ID};
    """,
)
SENTENCES = {
    "SQLITE_FULL": "The disk is full, so nothing more can be kept in {}. Make room, and send it again.",
    "SQLITE_READONLY": "{} cannot be written to: give this user the right to, or name another file.",
    "SQLITE_IOERR_LOCK": "{} cannot be written to: give this user the right to, or name another file.",
    "SQLITE_CANTOPEN": "{} cannot be opened or made: name a file in a folder that this user may write to.",
    "SQLITE_PERM": "{} cannot be opened: give this user the right to, or name another file.",
    "SQLITE_BUSY": "{} is in use by another server: end that one, or name another file.",
    "SQLITE_NOTADB": "{} is no class: name another file.",
    "SQLITE_CORRUPT": "{} is damaged: name another file, or a copy of this one.",
}
OTHERWISE = "{} cannot be used ({}): name another file."


class ClassError(Exception):
    """The class cannot do what was asked; the message is a sentence for whoever asked it."""


@dataclass(frozen=True)
class Sent:
    """A drawing that was sent to the class.

    `number` is its own, ascending as they came; `drawing` its text, as `Drawing.to_text` writes it; `digit` what its
    author meant, from 0 to 9 or NO_DIGIT; `at` when it came, in seconds since 1970; `visit` a random number of the
    visit that sent it. The rest is how the search did before the drawing was in the gallery: how many of the 4 nearest
    were right, in the gallery `alone` and in the gallery that had `learned` all drawings before it; whether the search,
    as the visitors had it, has `found` it; and the digit that it was `taken_for`, None where no neighbor has a label.
    `hidden` is 0, or the number of the teacher's act that took it off the wall.
    """

    drawing: str
    digit: int
    at: float
    visit: int
    alone: int
    learned: int
    found: bool
    taken_for: int | None
    number: int = 0
    hidden: int = 0


FIELDS = "drawing", "digit", "at", "visit", "alone", "learned", "found", "taken_for"  # that a new one has
COLUMNS = *FIELDS, "number", "hidden"


class ClassStore:
    """A class in an SQLite file, which this process has for itself until it is closed or ends.

    A change is on the disk when its call returns: it survives the end of the process and the loss of power. Any thread
    may call; one writes at a time.

    Args:
        path: of the file; it is made, with its folder, where there is none.

    Raises:
        ClassError: the file is damaged, another program's, of a later version, or in use; or it cannot be made.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._lock = threading.Lock()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if self.path.is_dir():
                raise ClassError(f"{path} is a folder: name a file.")
        except OSError as error:
            raise ClassError(f"{self.path.parent} cannot be made ({error.strerror}): name another folder.") from None
        with self._explained():
            self._base = sqlite3.connect(self.path, timeout=LOCKED_FOR_S, isolation_level=None, check_same_thread=False)
        try:
            with self._explained():
                self._open()
        except BaseException:
            self._base.close()
            raise

    def sent(self) -> list[Sent]:
        """All drawings that were sent and not withdrawn, the hidden ones, too, as they came."""
        with self._reading() as base:
            rows = base.execute(f"SELECT {', '.join(COLUMNS)} FROM sent ORDER BY number").fetchall()
        return [Sent(**dict(zip(COLUMNS, row, strict=True)) | {"found": bool(row[6])}) for row in rows]

    def add(self, drawings: Iterable[Sent]) -> list[int]:
        """Keep drawings; returns their numbers. All of them are kept, or none.

        Raises:
            ClassError: the same drawing is kept already, or the file cannot be written to.
        """
        rows = [[getattr(one, field) for field in FIELDS] for one in drawings]
        with self._writing() as base:
            insert = f"INSERT INTO sent ({', '.join(FIELDS)}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
            try:
                return [int(base.execute(insert, row).lastrowid or 0) for row in rows]
            except sqlite3.IntegrityError:
                raise ClassError("This drawing has been sent already.") from None

    def remove(self, number: int) -> None:
        """Delete a drawing for good: its place in the file is overwritten."""
        with self._writing() as base:
            base.execute("DELETE FROM sent WHERE number = ?", (number,))
        with self._reading() as base:  # pages that were moved, and the log, still have it
            base.execute("VACUUM")
            base.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def hide(self, numbers: Sequence[int]) -> None:
        """Take drawings off the wall, in one act that `undo_hiding` takes back."""
        with self._writing() as base:
            act = base.execute("SELECT max(hidden) FROM sent").fetchone()[0] or 0
            base.executemany("UPDATE sent SET hidden = ? WHERE number = ?", [(act + 1, number) for number in numbers])

    def undo_hiding(self) -> None:
        """Take the last act of hiding back, if there is one."""
        with self._writing() as base:
            base.execute("UPDATE sent SET hidden = 0 WHERE hidden = (SELECT max(hidden) FROM sent)")

    def switches(self) -> dict[str, bool]:
        """Those that were set, by their names."""
        with self._reading() as base:
            return {name: bool(is_on) for name, is_on in base.execute("SELECT name, is_on FROM switches")}

    def switch(self, name: str, is_on: bool) -> None:
        """Set a switch."""
        with self._writing() as base:
            base.execute("INSERT OR REPLACE INTO switches VALUES (?, ?)", (name, is_on))

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._base.close()

    def _open(self) -> None:
        """Make sure that the file is a class, of this version, and that nobody else has it."""
        base = self._base
        base.execute("PRAGMA locking_mode = EXCLUSIVE")
        version, program = (base.execute(f"PRAGMA {name}").fetchone()[0] for name in ("user_version", "application_id"))
        n_tables = base.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
        if program != APPLICATION_ID and (program or n_tables):
            raise ClassError(SENTENCES["SQLITE_NOTADB"].format(self.path))
        if version > len(MIGRATIONS):
            raise ClassError(f"{self.path} was made by a later version of this app: use that, or name another file.")
        base.execute("PRAGMA journal_mode = WAL")
        base.execute("PRAGMA synchronous = FULL")
        base.execute("PRAGMA secure_delete = ON")
        if base.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
            raise ClassError(SENTENCES["SQLITE_CORRUPT"].format(self.path))
        for number, migration in enumerate(MIGRATIONS[version:], version + 1):
            base.executescript(f"BEGIN IMMEDIATE; {migration} PRAGMA user_version = {number}; COMMIT;")
        base.execute("BEGIN IMMEDIATE")  # takes the lock, which this process then keeps
        base.execute("COMMIT")

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._explained():
            yield self._base

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction: all that the block does is kept when it ends, or nothing where it raises."""
        with self._lock, self._explained():
            if not os.path.exists(self.path):
                raise ClassError(f"{self.path} is no longer there: put it back, or start a new class.")
            self._base.execute("BEGIN IMMEDIATE")
            try:
                yield self._base
                self._base.execute("COMMIT")
            except BaseException:
                if self._base.in_transaction:
                    self._base.execute("ROLLBACK")
                raise

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn what SQLite says of the file into a sentence."""
        try:
            yield
        except sqlite3.Error as error:
            name = getattr(error, "sqlite_errorname", None) or ("SQLITE_CORRUPT" if "UTF-8" in str(error) else "")
            kind = re.match(r"SQLITE_[A-Z]+", name)
            sentence = SENTENCES.get(name) or SENTENCES.get(kind[0] if kind else "", OTHERWISE)
            raise ClassError(sentence.format(self.path, error)) from None
