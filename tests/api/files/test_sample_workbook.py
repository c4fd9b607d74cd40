"""Samples as workbooks: the cells of the CSV file, and help to fill them in."""

from __future__ import annotations

import io

import openpyxl

from api.files.sample_workbook import sample_workbook
from api.schema.importing.plugin_descriptions import PluginDescription
from importers.plugins.sample_file import sample_csv
from tests.importers.fakes import ASSIGN
from tests.importers.rows.test_layout import Transfers
from tests.importers.sdk.test_setting import titled

TRANSFERS = Transfers("transfers")


async def test_sample() -> None:
    """A sample has the cells of its CSV file, what each column is for, and its choices."""
    asked = PluginDescription("importer", "assign", ASSIGN)
    described = await asked.columns(["staff", "clients"])
    workbook = await sample_workbook(sample_csv(ASSIGN), described)
    sheet = openpyxl.load_workbook(io.BytesIO(workbook)).active
    assert sheet

    assert list(sheet.values) == [
        ("case_id", "user_id", "case_role_order", "case_role_id", "case_notify"),
        ("trv-001", "jack-001", None, "staff", "0"),
    ]
    assert [cell.comment and cell.comment.text for cell in sheet[1]] == [
        column.help for column in described
    ]
    assert {
        str(each.sqref)[:2]: each.formula1 for each in sheet.data_validations.dataValidation
    } == {"D2": '"staff,clients"', "E2": '"0,1"'}


async def test_columns_with_names_of_their_own() -> None:
    """Clients know a column by its name in files; the sample has it as it is written."""
    asked = PluginDescription("importer", "transfers", TRANSFERS)
    described = await asked.columns([])
    workbook = await sample_workbook(sample_csv(TRANSFERS), described)
    sheet = openpyxl.load_workbook(io.BytesIO(workbook)).active
    assert sheet

    assert [column.name for column in described] == ["from", "e_mail", "role", "reason_(short)"]
    assert [(cell.value, cell.comment and cell.comment.text) for cell in sheet[1]] == [
        ("From", "The case."),
        ("E-Mail", "Who."),
        ("role", "As what."),
        ("Reason (short)", "Why."),
    ]


async def test_choices_of_settings() -> None:
    """Lists are those of the plugin's settings; clients know what parts several choices."""
    described = await PluginDescription("importer", "titled", titled()).columns([])
    workbook = await sample_workbook(sample_csv(titled()), described)
    sheet = openpyxl.load_workbook(io.BytesIO(workbook)).active
    assert sheet

    assert [(each.name, each.choices, each.separator) for each in described[1:3]] == [
        ("title", ("Dr.", "Prof."), None),
        ("spoken", ("en", "de"), ";"),
    ]
    assert [each.formula1 for each in sheet.data_validations.dataValidation] == [
        '"Dr.,Prof."',
        '"en,de"',
        '"lead"',
        '"EUR"',
    ]
