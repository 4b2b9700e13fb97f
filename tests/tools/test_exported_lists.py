"""Lists as programs export them: who is dialled, and where the user is asked.

The headers are those of the programs, the contacts made up.
"""

from typing import Any

import pytest

from tests.support.bench import Bench
from tests.support.exports import (
    GOOGLE,
    HUBSPOT,
    LOADER,
    MAILCHIMP,
    OUTLOOK,
    OUTLOOK_DE,
    OUTLOOK_FR,
    SALESFORCE,
    SHOPIFY,
    SHOPIFY_ORDERS,
    VICIDIAL,
    WOO,
    ZOHO,
    export,
)

pytestmark = pytest.mark.anyio


CLEAR: dict[str, tuple[str, str | None, list[str]]] = {
    "Google": (
        export(
            GOOGLE,
            {
                "First Name": "Ada",
                "Phone 1 - Label": "Mobile",
                "Phone 1 - Value": "+1 415-555-2671",
            },
            {"First Name": "Bea", "Phone 1 - Value": "+91 98765 43210"},
        ),
        None,
        ["+14155552671", "+919876543210"],
    ),
    "Google, national numbers with their country": (
        export(
            GOOGLE,
            {"Phone 1 - Value": "020 7946 0958", "Address 1 - Country": "UK"},
            {"Phone 1 - Value": "(415) 555-2671", "Address 1 - Country": "United States"},
        ),
        None,
        ["+442079460958", "+14155552671"],
    ),
    "Google, a cell of two numbers": (
        export(
            GOOGLE,
            {"Phone 1 - Value": "+1 415-555-2671 ::: +1 415-555-2672"},
            {"Phone 1 - Value": "+91 98765 43210"},
        ),
        None,
        ["+919876543210"],
    ),
    "Outlook": (
        export(
            OUTLOOK,
            {
                "Mobile Phone": "+1 (415) 555-2671",
                "Business Fax": "+1 415 555 2672",
                "Assistant's Phone": "+14155552673",
                "Organizational ID Number": "+14155552674",
            },
        ),
        None,
        ["+14155552671"],
    ),
    "Outlook in German": (
        export(
            OUTLOOK_DE,
            {
                "Mobiltelefon": "0151 12345678",
                "Telefon Assistent": "030 1234567",
                "Fax gesch\u00e4ftlich": "030 7654321",
                "Land/Region gesch\u00e4ftlich": "Deutschland",
            },
            {"Mobiltelefon": "0664 1234567", "Land/Region gesch\u00e4ftlich": "\u00d6sterreich"},
        ),
        None,
        ["+4915112345678", "+436641234567"],
    ),
    "Outlook in French": (
        export(
            OUTLOOK_FR,
            {
                "T\u00e9l. mobile": "06 12 34 56 78",
                "T\u00e9l\u00e9copie (bureau)": "01 42 68 53 00",
                "T\u00e9l\u00e9phone de l'assistant(e)": "01 42 68 53 01",
            },
        ),
        "FR",
        ["+33612345678"],
    ),
    "HubSpot": (
        export(
            HUBSPOT,
            {
                "Record ID": "51234567890",
                "Phone Number": "(415) 555-2671",
                "Country/Region": "United States",
                "IP Country Code": "de",
                "Time Zone": "america_slash_new_york",
                "Number of times contacted": "12",
            },
        ),
        None,
        ["+14155552671"],
    ),
    "Salesforce report": (
        export(
            SALESFORCE,
            {
                "Mobile": "(415) 555-2671",
                "Fax": "4155552672",
                "Asst. Phone": "4155552673",
                "Mailing Country": "USA",
            },
        ),
        None,
        ["+14155552671"],
    ),
    "Salesforce loader": (
        export(
            LOADER,
            {
                "MOBILEPHONE": "07400 123456",
                "ASSISTANTPHONE": "020 7946 0958",
                "MAILINGCOUNTRY": "United Kingdom",
            },
        ),
        "US",
        ["+447400123456"],
    ),
    "Zoho": (
        export(
            ZOHO, {"Mobile": "9876543210", "Asst Phone": "9876543211", "Mailing Country": "India"}
        ),
        None,
        ["+919876543210"],
    ),
    "Shopify customers": (
        export(
            SHOPIFY,
            {"Customer ID": "'6543210987654", "Phone": "'+14155552671", "Total Orders": "3"},
        ),
        None,
        ["+14155552671"],
    ),
    "Shopify customers, the phone of their address": (
        export(
            SHOPIFY,
            {"Default Address Country Code": "DE", "Default Address Phone": "0151 12345678"},
        ),
        "US",
        ["+4915112345678"],
    ),
    "Shopify orders": (
        export(
            SHOPIFY_ORDERS,
            {
                "Name": "#1001",
                "Billing Phone": "98765 43210",
                "Billing Country": "IN",
                "Shipping Country": "US",
                "Id": "4870219923534",
                "Receipt Number": "4155552671",
            },
        ),
        None,
        ["+919876543210"],
    ),
    "Mailchimp": (
        export(
            MAILCHIMP,
            {
                "Phone Number": "415-555-2671",
                "CC": "de",
                "TIMEZONE": "America/Los_angeles",
                "LEID": "5123456789",
            },
        ),
        "US",
        ["+14155552671"],
    ),
    "WooCommerce": (
        export(
            WOO,
            {
                "order_id": "9876543211",
                "order_number": "9876543212",
                "billing_phone": "98765 43210",
                "billing_country": "IN",
                "shipping_country": "GB",
            },
        ),
        None,
        ["+919876543210"],
    ),
    "a dialer": (
        export(
            VICIDIAL,
            {"vendor_lead_code": "9876543210", "phone_code": "1", "phone_number": "4155552671"},
            {"vendor_lead_code": "9876543211", "phone_code": "44", "phone_number": "7400123456"},
        ),
        "IN",
        ["+14155552671", "+447400123456"],
    ),
    "lead ads": (
        (
            "id\tcreated_time\tad_id\tform_id\tfull_name\tphone_number\n"
            "l:1234567890123456\t2026-01-15T10:00:00-08:00\tag:2385\tf:123\tAda\tp:+14155552671\n"
        ),
        None,
        ["+14155552671"],
    ),
    "a form": (
        (
            'Timestamp,Full name,"What is your phone number? (with country code)"\n'
            "1/15/2026 10:00:00,Ada,+1 415 555 2671\n"
        ),
        None,
        ["+14155552671"],
    ),
    "a school in India": (
        "Roll No,Student,Father's Mobile No.,Mother's Mobile No.\n9876543211,Ada,9876543210,\n",
        "IN",
        ["+919876543210"],
    ),
    "a ledger in India": (
        "Sr. No.,Party Name,Ph. No.,GSTIN\n1,Ada,09876543210,27ABCDE\n",
        "IN",
        ["+919876543210"],
    ),
    "Excel in German": (
        "Kd-Nr.;Name;Telefon-Nr.\n15112345670;Ada;0151 12345678\n",
        "DE",
        ["+4915112345678"],
    ),
    "Excel in German, decimals and a missing digit": (
        "Name;Rufnr.\nAda;4915112345678,00\nBea;491511234567,00\n",
        "DE",
        ["+4915112345678"],
    ),
    "Excel in French": (
        "N\u00b0 client;Nom;N\u00b0 de t\u00e9l.;Pays\n612345670;Ada;06 12 34 56 78;France\n",
        None,
        ["+33612345678"],
    ),
    "Excel in French, without its zeros": (
        "N\u00b0 commande;Nom;Portable\n612345670;Ada;612345678\n",
        "FR",
        ["+33612345678"],
    ),
    "Excel in Brazil": (
        "Cliente;N\u00ba do Pedido;WhatsApp\nAda;11987654320;11 98765-4321\n",
        "BR",
        ["+5511987654321"],
    ),
    "Excel in Brazil, every way to write it": (
        (
            "telefone\n5511987654321\n11987654322\n(11) 98765-4323\n+55 11 98765 4324\n"
            "0 15 11 98765 4325\n"
        ),
        "BR",
        [f"+551198765432{last}" for last in range(1, 6)],
    ),
    "Excel in Japan": (
        (
            "\u6c0f\u540d,\u90f5\u4fbf\u756a\u53f7,\u9867\u5ba2\u756a\u53f7,\uff34\uff25\uff2c\n"
            "\u7530\u4e2d,150-0002,9012345670,\uff10\uff19\uff10\u2212\uff11\uff12\uff13\uff14\u2212\uff15\uff16\uff17\uff18\n"
        ),
        "JP",
        ["+819012345678"],
    ),
    "a shop in Japan": (
        "\u53d7\u6ce8\u756a\u53f7,\u6ce8\u6587\u8005\u96fb\u8a71\u756a\u53f7\n+819012345670,090-1234-5678\n",
        "JP",
        ["+819012345678"],
    ),
    "a shop in China": (
        "\u59d3\u540d,\u8ba2\u5355\u53f7,\u624b\u673a\u53f7\u7801\n\u738b,13800138000,'13912345678\n",
        "CN",
        ["+8613912345678"],
    ),
    "a shop in Korea": (
        "\uc774\ub984,\ud734\ub300\ud3f0,\uc8fc\ubb38\ubc88\ud638\n\uae40,010-1234-5678,+821012345670\n",
        "KR",
        ["+821012345678"],
    ),
    "a shop in Russia": (
        (
            "\u0424\u0418\u041e;\u041d\u043e\u043c\u0435\u0440 \u0437\u0430\u043a\u0430"
            "\u0437\u0430;"
            "\u041d\u043e\u043c\u0435\u0440 \u0442\u0435\u043b\u0435\u0444\u043e\u043d\u0430\n"
            "Ada;89161234560;8 (916) 123-45-67\n"
        ),
        "RU",
        ["+79161234567"],
    ),
    "a shop in Spain": (
        "Nombre;N\u00ba de pedido;N\u00ba de tel\u00e9fono\nAda;612345670;612 34 56 78\n",
        "ES",
        ["+34612345678"],
    ),
    "a shop in Italy": (
        "Nome;Numero ordine;Numero\nAda;3331234560;333 1234567\n",
        "IT",
        ["+393331234567"],
    ),
    "a table of a chat": (
        "| name | phone |\n|---|---|\n| Ada | +14155552671 |\n",
        None,
        ["+14155552671"],
    ),
    "countries by name": (
        (
            "Nombre;Pa\u00eds;Tel\u00e9fono\nA;Espa\u00f1a;612345678\n"
            "B;M\u00e9xico;55 1234 5678\nC;EE.UU.;(415) 555-2671\n"
        ),
        None,
        ["+34612345678", "+525512345678", "+14155552671"],
    ),
    "countries, and numbers that lost their plus": (
        "Name,Country,Phone\nA,India,919876543210\nB,US,14155552671\nC,UK,447400123456\n",
        None,
        ["+919876543210", "+14155552671", "+447400123456"],
    ),
    "masked, shortened and foreign cells between": (
        (
            f"Name,Phone\nA,+1 415 *** 2671\nB,{'X' * 6}2671\nC,4155552671 x12\n"
            "D,4155552672 / 4155552673\nE,4.15556E+09\nF,4155552674\n"
        ),
        "US",
        ["+14155552674"],
    ),
}

ASKED: dict[str, str] = {
    "Google, two numbers": export(
        GOOGLE, {"Phone 1 - Value": "+14155552671", "Phone 2 - Value": "+14155552672"}
    ),
    "Outlook, home and mobile": export(
        OUTLOOK, {"Home Phone": "+14155552671", "Mobile Phone": "+14155552672"}
    ),
    "Salesforce, phone and mobile": export(
        SALESFORCE, {"Phone": "(415) 555-2671", "Mobile": "(415) 555-2672", "Fax": "4155552673"}
    ),
    "Shopify orders, billing and shipping": export(
        SHOPIFY_ORDERS, {"Billing Phone": "+14155552671", "Shipping Phone": "+14155552672"}
    ),
    "HubSpot without a phone": export(HUBSPOT, {"Record ID": "4155552671"}),
    "a call log": "From,To,Status\n+14155552671,+14155552672,completed\n",
    "a phone in three parts": "Name,Phone 1,Phone 2,Phone 3\nAda,415,555,2671\n",
    "an old phone": "Name,Old Phone,Phone\nAda,+14155552671,+14155552672\n",
    "a shop in Japan, two people": (
        "\u6ce8\u6587\u8005\u96fb\u8a71\u756a\u53f7,\u304a\u5c4a\u3051\u5148\u96fb\u8a71\u756a\u53f7\n"
        "090-1234-5678,090-1234-5679\n"
    ),
    "no header": "Ada,+14155552671\nBea,+14155552672\n",
    "two columns of one name": "Name,Phone,Phone\nAda,+14155552671,+14155552672\n",
}


async def members(bench: Bench, made: dict[str, Any]) -> list[str]:
    data = await bench.api("GET", f"/audience/{made['audience_id']}/members?page=1&offset=500")
    return [row["data"]["phoneNumber"] for row in data["members"]]


@pytest.mark.slow
@pytest.mark.parametrize("name", CLEAR)
async def test_the_contacts_of_an_export_are_dialled_and_nobody_else(
    bench: Bench, name: str
) -> None:
    text, region, numbers = CLEAR[name]
    given = {"default_region": region} if region else {}
    async with bench.client() as client:
        made = await client.call("create_audience", name="Export", csv=text, **given)
    assert await members(bench, made) == numbers
    assert sum(int(entry.rpartition(" ")[2]) for entry in made["phone_columns"]) == len(numbers)


@pytest.mark.parametrize("name", ASKED)
async def test_where_an_export_does_not_tell_whom_to_dial_nothing_is_created(
    bench: Bench, name: str
) -> None:
    async with bench.client() as client:
        asked = await client.refused(
            "create_audience", name="A", csv=ASKED[name], default_region="US"
        )
    assert "phone_columns" in asked
    assert "555" not in asked
    assert bench.wire.requests == []
