"""The columns of the source files: what each is, what it may hold, and in which words it is described."""

from __future__ import annotations

from dataclasses import dataclass

from outcomes.contract.vocabulary import AGE_BANDS, GENDERS, Ending, Kind, Role, ValueType

SCORE = "_score"
"""Ending of a published rating: `<construct>_score`, turned so that higher means more."""


@dataclass(frozen=True)
class Column:
    """One column of a source file, and what becomes of it in a release.

    Attributes
    ----------
    role : Role
        What it is in the study's question. It decides what a seal withholds and what is analysed.
    description : str
        What it means, for the landing page and the codebook.
    required : bool
        It must be in the file or be given a constant in `study.toml`.
    is_central : bool
        The study's main question is about it. A source may lack it; questions about it are refused then.
    codes : tuple of str
        The closed list of a CODE column.
    minimum, maximum : int, optional
        Bounds of an INTEGER column; those of a SCALE are declared in `study.toml`.
    unit : str
        Unit of an INTEGER column; that of a SCALE is declared in `study.toml`.
    release_name : str
        Name in a release where it is another one.
    in_file, in_release : str
        What is to be said of empty cells, of a file and of a release.
    spoken : str
        The construct of a SCALE as it stands in a sentence ("the alliance").
    higher : str
        What a larger score of a SCALE means ("more"); nothing is said where empty.
    same_metric_as : str
        The SCALE whose range it must share, so that their difference means something.

    Raises
    ------
    ValueError
        For a scale without the words that tables and checks are described with, or whose role no rating can have.
    """

    name: str
    type: ValueType
    role: Role
    description: str
    required: bool = False
    codes: tuple[str, ...] = ()
    minimum: int | None = None
    maximum: int | None = None
    unit: str = ""
    release_name: str = ""
    in_file: str = ""
    in_release: str = ""
    spoken: str = ""
    higher: str = ""
    same_metric_as: str = ""
    is_central: bool = False

    def __post_init__(self) -> None:
        if self.is_rating and (self.role in (Role.KEY, Role.DESIGN) or not self.spoken):
            raise ValueError(f"the scale {self.name} needs a role that a rating can have, and a name for sentences")

    @property
    def is_rating(self) -> bool:
        """Whether it is a rating on a scale that `study.toml` declares."""
        return self.type is ValueType.SCALE

    @property
    def is_never_empty(self) -> bool:
        """Whether a row without it says nothing: an id that the file must have."""
        return self.role is Role.KEY and self.required

    @property
    def published(self) -> str:
        """Its name in a release."""
        return self.release_name or (f"{self.name}{SCORE}" if self.is_rating else self.name)


def _key(name: str, description: str, *, required: bool = False, in_file: str = "") -> Column:
    return Column(name, ValueType.IDENTIFIER, Role.KEY, description, required, in_file=in_file)


def _scale(
    name: str,
    role: Role,
    description: str,
    spoken: str,
    higher: str = "more",
    *,
    same_metric_as: str = "",
    is_central: bool = False,
) -> Column:
    return Column(
        name, ValueType.SCALE, role, description, spoken=spoken, higher=higher, same_metric_as=same_metric_as,
        is_central=is_central,
    )  # fmt: skip


CONTRACT: dict[Kind, tuple[Column, ...]] = {
    Kind.SESSIONS: (
        _key("practice_id", "Pseudonym of the practice", in_file="one practice where the study gives none"),
        _key("therapist_id", "Pseudonym of the therapist who held this session", required=True),
        _key("client_id", "Pseudonym of the client", required=True),
        _key("episode_id", "Pseudonym of the course of therapy", in_file="one episode per client where absent"),
        Column(
            "session_number",
            ValueType.INTEGER,
            Role.DESIGN,
            "Place of the appointment in its episode, from 1",
            minimum=1,
            maximum=1000,
        ),
        Column(
            "session_date",
            ValueType.DATE,
            Role.DESIGN,
            "Day of the appointment",
            in_release="empty where the source has none",
        ),
        Column(
            "attended",
            ValueType.YES_NO,
            Role.DESIGN,
            "Whether the client came",
            release_name="is_attended",
            in_file="every row counts as attended where absent",
        ),
        _scale(
            "directiveness",
            Role.EXPOSURE,
            "How directive the therapist was in this session",
            "directiveness",
            is_central=True,
        ),
        _scale("satisfaction", Role.OUTCOME, "Satisfaction with this session", "satisfaction", is_central=True),
        _scale("alliance", Role.MEDIATOR, "Working alliance after this session", "the alliance", "better"),
        _scale("autonomy_support", Role.MEDIATOR, "Autonomy support experienced in this session", "autonomy support"),
        _scale(
            "felt_overwhelmed",
            Role.MEDIATOR,
            "How overwhelmed the client felt by the guidance",
            "feeling overwhelmed",
        ),
        Column(
            "asked_about_guidance",
            ValueType.YES_NO,
            Role.MODERATOR,
            "Whether the therapist asked how the guidance felt",
            release_name="is_asked_about_guidance",
            in_release="empty where not recorded",
        ),
        _scale("empowerment", Role.OUTCOME, "Empowerment after this session", "empowerment"),
    ),
    Kind.EPISODES: (
        _key("episode_id", "Pseudonym of the course of therapy", required=True),
        _key("client_id", "Pseudonym of the client", required=True),
        Column(
            "start",
            ValueType.DATE,
            Role.DESIGN,
            "Day of the first contact",
            release_name="start_date",
            in_release="empty where not recorded",
        ),
        Column(
            "end",
            ValueType.DATE,
            Role.OUTCOME,
            "Day of the ending",
            release_name="end_date",
            in_file="empty while the episode is open",
            in_release="empty while open or not recorded",
        ),
        Column(
            "ending",
            ValueType.CODE,
            Role.OUTCOME,
            "How the episode ended, in the source's words",
            codes=tuple(Ending),
            in_release="empty where not recorded",
        ),
        Column(
            "planned_sessions",
            ValueType.INTEGER,
            Role.DESIGN,
            "Number of sessions planned at intake",
            minimum=1,
            maximum=1000,
            unit="sessions",
            in_release="empty where not recorded",
        ),
        _scale("intake_severity", Role.TRAIT, "Severity at intake", "severity at intake", "more severe"),
        Column("data_cut", ValueType.DATE, Role.DESIGN, "Day up to which this episode was observed"),
    ),
    Kind.CLIENTS: (
        _key("client_id", "Pseudonym of the client", required=True),
        _scale(
            "directiveness_preferred",
            Role.MODERATOR,
            "Directiveness that the client prefers, on the metric of directiveness",
            "preferred directiveness",
            higher="",
            same_metric_as="directiveness",
        ),
        _scale("reactance", Role.MODERATOR, "Trait reactance", "reactance"),
        Column(
            "age_band",
            ValueType.CODE,
            Role.TRAIT,
            "Age in bands",
            codes=AGE_BANDS,
            in_release="empty where not given or withheld",
        ),
        Column(
            "gender",
            ValueType.CODE,
            Role.TRAIT,
            "Gender",
            codes=GENDERS,
            in_release="empty where not given or withheld",
        ),
    ),
}

KIND_OF_SCALE: dict[str, Kind] = {
    column.name: kind for kind, columns in CONTRACT.items() for column in columns if column.is_rating
}
"""The contract's scales, and the files that hold them."""

OTHER_SCORES = "other_scores"
"""Column of landed sessions: a map from the study's own scales to their ratings."""

MEASURED = "measured"
"""Column of landed files: a map from the scales that are made of items to how each score came about."""


def scales_of(kind: Kind) -> tuple[Column, ...]:
    """Return the ratings of one kind of file."""
    return tuple(column for column in CONTRACT[kind] if column.is_rating)


def own_scale(name: str, role: Role, description: str) -> Column:
    """Return the column of sessions files for a scale that only `study.toml` declares."""
    return _scale(name, role, description, name.replace("_", " "))
