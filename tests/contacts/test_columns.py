"""Names and cells tell the column of numbers; where they do not, the user is asked."""

import pytest
from hypothesis import given, strategies as st

from atoms_campaigns_mcp.contacts.table import Contacts, parse
from atoms_campaigns_mcp.errors import InvalidArguments

NUMBER = "+919876543210"
OTHER = "+14155550177"


def read(text: str, *columns: str) -> Contacts:
    return parse(text, phone_columns=columns, region="IN")


def question(text: str, *columns: str) -> InvalidArguments:
    with pytest.raises(InvalidArguments) as asked:
        read(text, *columns)
    assert "Nothing was created." in asked.value.message
    return asked.value


@pytest.mark.parametrize(
    "name",
    [
        *["Home Phone", "Work Phone", "Client Mobile Phone", "Mobile Phone", "MobilePhone"],
        *["Phone 1 - Value", "Customer Mobile Number", "homephone", "Business Phone 2", "SMS"],
        *["Person - Phone - Mobile", "Default Address Phone", "Phone (mobile)", "telno", "GSM"],
        *["Telefone Celular", "Tel\u00e9fono m\u00f3vil", "T\u00e9l\u00e9phone portable", "No HP"],
        *["\u0422\u0435\u043b\u0435\u0444\u043e\u043d", "\u624b\u673a\u53f7", "\u96fb\u8a71\u756a"],
        *["\u96fb\u8a71\u756a\u53f7", "\u0631\u0642\u0645 \u0627\u0644\u0647\u0627\u062a\u0641"],
        *["\ud734\ub300\ud3f0 \ubc88\ud638", "\u092b\u093c\u094b\u0928 \u0928\u0902\u092c\u0930"],
        *["Handynummer", "Rufnummer", "Mobiltelefon", "Cep Telefonu", "Nomor Telepon"],
        *["S\u1ed1 \u0111i\u1ec7n tho\u1ea1i", "Telefoonnummer", "Puhelinnumero", "Telem\u00f3vel"],
        *[
            "Telefon kom\u00f3rkowy",
            "Num\u00e9ro de t\u00e9l\u00e9phone",
            "Cellulare",
            "\u0422\u0435\u043b.",
        ],
        *["Ph. No.", "Tel\u00e9fono del pedido", "\u6ce8\u6587\u8005\u96fb\u8a71\u756a\u53f7"],
        *["What is your phone number? (with country code)", "Telefon (mit Vorwahl)"],
    ],
)
def test_names_of_common_exports_and_languages_are_known(name: str) -> None:
    contacts = read(f"Customer Number,{name},Name\n9876500001,{NUMBER},Ada\n")
    assert contacts.rows[0][0] == NUMBER
    assert contacts.taken == {name: 1}


@pytest.mark.parametrize(
    "name",
    [
        *["Customer Number", "Account No", "Order Number", "Ref", "Invoice", "id", "Member Number"],
        *["Phone ID", "phone_number_id", "Fax", "Home Fax", "Phone Extension", "SIM Number"],
        *[
            "Emergency Contact Phone",
            "Assistant's Phone",
            "Kundennummer",
            "\u5ba2\u6237\u7f16\u53f7",
        ],
        *["N\u00famero de pedido", "N\u00ba de factura", "Numero ordine", "Codice cliente"],
        *["Num\u00e9ro de commande", "N\u00b0 client", "Encomenda", "N\u00ba do Pedido"],
        *["\u041d\u043e\u043c\u0435\u0440 \u0437\u0430\u043a\u0430\u0437\u0430"],
        *["\u8ba2\u5355\u53f7", "\u6ce8\u6587\u756a\u53f7", "\u9867\u5ba2\u756a\u53f7"],
        *["\uc8fc\ubb38\ubc88\ud638", "\u0631\u0642\u0645 \u0627\u0644\u0637\u0644\u0628"],
        *["Bestelnummer", "Klantnr", "Ordrenummer", "Kd-Nr.", "Sipari\u015f No", "No. Pesanan"],
        *["Numer zam\u00f3wienia", "Tilausnumero", "Tracking Number", "Booking No.", "Meter No"],
        *["Telefon Assistent", "Asst. Phone"],
    ],
)
def test_what_is_no_phone_is_never_dialled_whatever_its_cells_look_like(name: str) -> None:
    assert "phone_columns" in question(f"{name},Name\n{NUMBER},Ada\n").next_step


def test_the_customer_number_is_not_dialled_instead_of_the_phone() -> None:
    contacts = read("Customer Number,Name,Home Phone\n9876500001,Ada,98765 43210\n")
    assert contacts.rows == ((NUMBER, "9876500001", "Ada"),)


@pytest.mark.parametrize("beside", ["Phone Type", "Phone 1 - Label", "Phone Verified", "Phone"])
def test_cells_tell_a_column_about_the_phone_from_the_phone(beside: str) -> None:
    assert read(f"{beside},Mobile\nhome,{NUMBER}\nwork,+919876543211\n").taken == {"Mobile": 2}


def test_a_word_of_two_languages_is_a_phone_where_its_cells_are() -> None:
    text = "Nome;CEP;Telefone\nAda;01310-100;(11) 98765-4321\n"
    assert parse(text, region="BR").taken == {"Telefone": 1}
    assert parse("Ad;Cep No\nAda;0542 123 45 67\n", region="+90").taken == {"Cep No": 1}


def test_an_empty_column_of_that_name_is_no_choice() -> None:
    assert read(f"Phone,Mobile\n,{NUMBER}\n").taken == {"Mobile": 1}


def test_two_plausible_columns_are_asked_about_with_how_many_cells_each_fills() -> None:
    asked = question(f"Home Phone,Name,Mobile\n{NUMBER},Ada,{OTHER}\n{NUMBER},Bea,\n")
    assert '"Home Phone" (2 filled), "Mobile" (1 filled) of 2 rows' in asked.message
    assert "phone_columns" in asked.next_step
    assert NUMBER not in str(asked)


def test_another_number_of_the_contact_is_as_plausible_as_the_first() -> None:
    asked = question(f"Contact No.,Alternate Contact No.\n{NUMBER},{OTHER}\n")
    assert '"Alternate Contact No." (1 filled)' in asked.message


def test_a_column_that_few_rows_fill_is_not_overlooked() -> None:
    rows = [f",+91987654{n:04},{n}" if n != 777 else f"{OTHER},,{n}" for n in range(1_600)]
    asked = question("Home Phone,Mobile,n\n" + "\n".join(rows))
    assert '"Home Phone" (1 filled), "Mobile" (1,599 filled)' in asked.message


def test_the_second_column_stands_in_where_the_first_has_no_number() -> None:
    text = f"Phone,Name,Mobile\n{NUMBER},Ada,{OTHER}\n+919876543211,Bea,\n+919876543212,Cid,none\n"
    contacts = read(text, "Mobile", "Phone")
    assert [row[0] for row in contacts.rows] == [OTHER, "+919876543211", "+919876543212"]
    assert contacts.taken == {"Mobile": 1, "Phone": 2}


def test_columns_may_be_named_in_any_case_and_spelling() -> None:
    contacts = read(f"Home  Phone,phoneNumber\n,{NUMBER}\n", "home-phone", "PHONENUMBER")
    assert contacts.columns == ("phoneNumber", "phoneNumber_2")
    assert contacts.taken == {"Home  Phone": 0, "phoneNumber": 1}


def test_a_column_of_an_unknown_name_is_taken_if_its_numbers_have_their_plus() -> None:
    assert read(f"Name,Reach\nAda,{NUMBER}\nBea,{OTHER}\n").taken == {"Reach": 2}
    assert "Reach" in question("Name,Reach\nAda,9876543210\n").message


def test_dates_and_short_numbers_are_not_taken_for_phones() -> None:
    assert read(f"Contact,Number\n2024-01-15,{NUMBER}\n").taken == {"Number": 1}


@pytest.mark.parametrize(
    "name",
    ["Time Zone", "timezone", "TIME_ZONE", "TZ", "TimeZone", "Zona horaria", "Contact Timezone"],
)
def test_a_column_of_time_zones_is_known_by_any_usual_name(name: str) -> None:
    rows = f"{NUMBER},pacific/honolulu\n+12025550143,PST\n+12025550144,\n"
    contacts = read(f"phone,{name}\n{rows}")
    assert contacts.columns == ("phoneNumber", "timezone")
    assert [row[1] for row in contacts.rows] == ["Pacific/Honolulu", "PST", ""]
    (note,) = contacts.notes
    assert name in note
    assert "row 3" in note


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("Do Not Call", "TRUE"),
        ("DNC", "1"),
        ("DNC Status", "DNC"),
        ("Opted Out", "yes"),
        ("consent_to_call", "No"),
        ("Call consent", "withdrawn"),
        ("DNC", "Do not call"),
        ("Unsubscribed at", "2026-03-01 10:00"),
        ("opted_out_date", "1 Mar 2026 10:00"),
    ],
)
def test_a_column_that_speaks_against_calls_is_pointed_out(name: str, cell: str) -> None:
    contacts = read(f"phone,{name}\n{NUMBER},{cell}\n{OTHER},\n")
    assert contacts.opted_out() == [0]
    assert f'"{name}" says not to call row 2' in contacts.notes[0]


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("Do Not Call", "no"),
        ("Do Not Call", "?"),
        ("Opted in", "yes"),
        ("Opted out at", "never"),
        ("Email opt out", "yes"),
        ("SMS consent", "no"),
        ("Blocked by", "rain"),
    ],
)
def test_a_column_that_does_not_forbid_calls_leaves_nobody_out(name: str, cell: str) -> None:
    contacts = read(f"phone,{name}\n{NUMBER},{cell}\n")
    assert (contacts.opted_out(), contacts.notes) == ([], ())


@given(
    rows=st.lists(st.tuples(st.sampled_from([NUMBER, OTHER]), st.booleans()), min_size=1),
)
def test_who_opted_out_in_any_row_has_opted_out(rows: list[tuple[str, bool]]) -> None:
    lines = [f"{number},{'yes' if out else ''}" for number, out in rows]
    contacts = read("phone,DNC\n" + "\n".join(lines) + "\n")
    numbers = {contacts.numbers()[place] for place in contacts.opted_out()}
    assert numbers == {number for number, out in rows if out}
