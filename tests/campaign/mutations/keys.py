"""Names of cells and numbers of customers."""

import unicodedata
from collections.abc import Callable

from tests.campaign.case import FAULTY, Case
from tests.campaign.mutations.kinds import FEW, of_kind


@of_kind("keys")
def name_that_looks_the_same(case: Case) -> None:
    """Other blanks, another Unicode form, characters that nobody sees: of some rows."""
    forms: tuple[Callable[[str], str], ...] = (
        lambda name: name.replace(" ", "\u00a0"),
        lambda name: f"{name} ",
        lambda name: f"\u00a0{name}\u200b",
        lambda name: unicodedata.normalize("NFD", name),
        lambda name: f"\ufeff{name}",
        lambda name: name.replace(" ", "  "),
        lambda name: name.replace("4", "４"),
        lambda name: name.replace(" ", "\u2009"),
        lambda name: f"\u200e{name}",
    )
    source, column = case.source.choice((("samples", "CellName"), ("customers", "CellTower")))
    one, form = case.inputs[source], case.source.choice(forms)
    if column in one.columns:
        one.change(column, form, range(0, len(one.rows), case.source.choice((1, 2, 3))))


@of_kind("keys")
def name_of_another_kind(case: Case) -> None:
    """Of all rows of one input: nothing matches any more."""
    forms: tuple[Callable[[str], str], ...] = (str.swapcase, lambda name: f"eNB-{name}")
    form = case.source.choice(forms)
    if "CellName" in case.samples.columns:
        case.samples.change("CellName", form)
        case.is_judged = False
        case.is_dated = False
        case.refuse(must=case.command != "alarms")


@of_kind("keys")
def customer_number_written_otherwise(case: Case) -> None:
    one = case.inputs["customers"]
    forms: tuple[Callable[[str], str], ...] = (
        lambda text: f"{text}.0",
        lambda text: f"000{text}",
        lambda text: f" {text} ",
        lambda text: f"+{text}",
        lambda text: f"\u00a0{text}",
    )
    one.change("Index", case.source.choice(forms))


@of_kind("keys")
def caller_written_otherwise(case: Case) -> None:
    one = case.inputs["calls"]
    forms: tuple[Callable[[str], str], ...] = (
        lambda text: f"CUS{text[3:]}",
        lambda text: f"CU-{text[3:]}",
        lambda text: f"100000{text[3:]}",
        lambda text: f"{text}.0",
        lambda text: f" {text} ",
    )
    one.change("Customer_ID", case.source.choice(forms))


@of_kind("keys")
def caller_that_nobody_can_tell(case: Case) -> None:
    one = case.inputs["calls"]
    forms: tuple[Callable[[str], str], ...] = (
        lambda text: f"A{text[3:]}",
        lambda text: f"CUSTOMER{text[3:]}",
        lambda text: text[3:],
        lambda text: f"{float(text):.2E}",
        lambda text: "",
        lambda text: f"{text},5",
    )
    one.change("Customer_ID", case.source.choice(forms))
    case.refuse(must=case.command != "alarms")


@of_kind("keys")
def few_without_a_key(case: Case) -> None:
    source = case.source.choice(("customers", "samples", "calls"))
    column = {"customers": "Index", "samples": "CellName", "calls": "Customer_ID"}[source]
    one = case.inputs[source]
    text = case.source.choice(("", "N/A", "\u00a0", "null", "-"))
    if column in one.columns:
        rows = 1 if source == "customers" else FEW
        one.change(column, lambda _: text, range(rows))
        case.spoilt_rows[source] += rows


@of_kind("keys")
def names_that_are_odd(case: Case) -> None:
    """A healthy cell has another name, in samples and customers alike."""
    names = (
        "<b>1A</b>", "a,b", 'say "so"', "two\nlines", "50%", "=1+1", "$x", "{run_date}", "'", "NaN",
        "x" * 999, "\\", "日本", "a/b", "1e5", "007", "true", "Ω😀", "a=b", "..", "%41", "`a`",
        "1.0", "\u202eabc", "None.", "1A ", "'; drop table x; --", "{{x}}", "${x}", "%s",
        "\x07",
    )  # fmt: skip
    name = case.source.choice(names)
    if "CellName" not in case.samples.columns or case.kinds.count("encodings"):
        return
    for one, column in ((case.samples, "CellName"), (case.inputs["customers"], "CellTower")):
        one.change(column, lambda text: name if text == "1A" else text)
    if case.history:
        case.history.change("CellName", lambda text: name if text == "1A" else text)


@of_kind("keys")
def cells_that_send_nothing(case: Case) -> None:
    """A faulty cell's samples that are another cell's: nobody can know, and all must add up."""
    if "CellName" in case.samples.columns:
        case.samples.change("CellName", lambda text: "2B" if text == FAULTY else text)
        case.spoilt_rows["samples"] += 48
        case.refuse()
        case.is_judged = case.is_dated = False
